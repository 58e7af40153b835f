//! What the markup of each page has to be, whatever it says.

use std::collections::BTreeSet;

use crate::html::Element;

/// Attributes that make a browser fetch something or go somewhere.
const ADDRESSES: [&str; 6] = ["href", "src", "srcset", "action", "formaction", "poster"];

/// Attributes whose words are ids of the same page.
const REFERENCES: [&str; 5] =
    ["for", "aria-describedby", "aria-labelledby", "aria-controls", "aria-errormessage"];

pub fn head(page: &Element) -> Vec<String> {
    let mut wrong = Vec::new();
    if page.find("html").and_then(|html| html.attribute("lang")) != Some("fr") {
        wrong.push("its language is not French".to_owned());
    }
    let head = page.find("head");
    if !head.and_then(|head| head.elements().next()).is_some_and(|first| first.has("charset")) {
        wrong.push("the head does not begin with the charset".to_owned());
    }
    let viewport = page.all().into_iter().find(|element| element.attribute("name") == Some("viewport"));
    match viewport.and_then(|meta| meta.attribute("content")) {
        None => wrong.push("it has no viewport".to_owned()),
        Some(content) if content.contains("maximum-scale") || content.contains("user-scalable") => {
            wrong.push("its reader may not zoom".to_owned());
        }
        Some(_) => {}
    }
    wrong
}

/// What the content security policy would block, or somebody would have to loosen it for.
pub fn inline_code(page: &Element) -> Vec<String> {
    let is_inline = |element: &&Element| {
        let event = element.attributes.keys().any(|name| name.starts_with("on"));
        event
            || element.has("style")
            || element.has("srcdoc")
            || element.name == "style"
            || element.name == "script" && !(element.has("src") && element.text().is_empty())
    };
    page.all().into_iter().filter(is_inline).map(|element| format!("{element} holds code or style")).collect()
}

/// Every address is a page or file of ours, from the root, so that it is the same on a 404 of any depth. Empty is the
/// page itself.
pub fn addresses(page: &Element, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for element in page.all() {
        for address in ADDRESSES.iter().filter_map(|name| element.attribute(name)) {
            let is_icon = element.attribute("rel") == Some("icon") && address.starts_with("data:image/");
            let is_here = address.is_empty() || address.starts_with('#');
            if !(is_icon || is_here || exists(address)) {
                wrong.push(format!("{element} leads to {address}, which is nothing of ours"));
            }
        }
    }
    wrong
}

pub fn ids(page: &Element) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for element in page.all() {
        if let Some(id) = element.attribute("id")
            && !ids.insert(id)
        {
            wrong.push(format!("{element} is not the only one of its id"));
        }
    }
    for element in page.all() {
        let fragment = element.attribute("href").and_then(|href| href.strip_prefix('#'));
        let named = REFERENCES.iter().filter_map(|name| element.attribute(name)).chain(fragment);
        for id in named.flat_map(str::split_whitespace) {
            if !ids.contains(id) {
                wrong.push(format!("{element} names {id}, which is nowhere"));
            }
        }
    }
    wrong
}

pub fn inputs(page: &Element) -> Vec<String> {
    let all = page.all();
    let labels: Vec<&Element> = all.iter().copied().filter(|element| element.name == "label").collect();
    let mut wrong = Vec::new();
    let fields = ["input", "select", "textarea"];
    for input in all.iter().copied().filter(|element| fields.contains(&element.name.as_str())) {
        let labelled = labels.iter().any(|label| {
            let names = label.has("for") && label.attribute("for") == input.attribute("id");
            names || label.all().iter().any(|inside| std::ptr::eq(*inside, input))
        });
        if !labelled && !input.has("aria-label") && !input.has("aria-labelledby") {
            wrong.push(format!("{input} has no label"));
        }
        let exempt = input.attribute("type") == Some("checkbox") || input.has("readonly");
        if !exempt && input.attribute("autocomplete").is_none_or(|value| value.is_empty() || value == "off") {
            wrong.push(format!("{input} does not say what a browser may fill in"));
        }
        if is_of_a_password(input) && (input.attribute("type") != Some("password") || input.has("maxlength"))
        {
            wrong.push(format!("{input} shows a password, or cuts it off"));
        }
    }
    wrong
}

fn is_of_a_password(input: &Element) -> bool {
    let told = ["id", "name", "autocomplete"].iter().filter_map(|name| input.attribute(name));
    input.attribute("type") != Some("checkbox") && told.into_iter().any(|value| value.contains("password"))
}

/// What all pages share: the head without title and scripts, and the header.
pub fn shared(page: &Element) -> (Vec<&Element>, Option<&Element>) {
    let own = ["title", "script"];
    let head = page.find("head").into_iter().flat_map(Element::elements);
    (head.filter(|element| !own.contains(&element.name.as_str())).collect(), page.find("header"))
}

mod samples {
    use super::{Element, addresses, head, ids, inline_code, inputs, shared};
    use crate::html::parse;

    const HEAD: &str = r#"<meta charset="utf-8"><meta name="viewport" content="width=device-width">"#;

    fn page(head: &str, body: &str) -> Element {
        parse(&format!("<html lang=fr><head>{head}</head><body>{body}</body></html>")).unwrap()
    }

    fn body(body: &str) -> Element {
        page(HEAD, body)
    }

    #[test]
    fn a_head_without_language_charset_or_zoom_is_refused() {
        assert_eq!(head(&body("")), [""; 0]);
        assert_ne!(head(&parse(&format!("<html lang=en><head>{HEAD}</head></html>")).unwrap()), [""; 0]);
        let title_first = page(&format!("<title>x</title>{HEAD}"), "");
        assert_ne!(head(&title_first), [""; 0]);
        assert_ne!(head(&page(r#"<meta charset="utf-8">"#, "")), [""; 0]);
        for content in ["width=device-width, maximum-scale=1", "user-scalable=no"] {
            let fixed = format!(r#"<meta charset="utf-8"><meta name="viewport" content="{content}">"#);
            assert_ne!(head(&page(&fixed, "")), [""; 0], "{content}");
        }
    }

    #[test]
    fn code_and_style_inside_a_page_are_refused() {
        assert_eq!(inline_code(&body(r#"<script src="/js/page.js"></script>"#)), [""; 0]);
        for inside in [
            "<script>1</script>",
            r#"<script src="/js/page.js">1</script>"#,
            "<style>p {}</style>",
            r#"<p style="color: red"></p>"#,
            r#"<button onclick="go()"></button>"#,
            r#"<iframe srcdoc="x"></iframe>"#,
        ] {
            assert_ne!(inline_code(&body(inside)), [""; 0], "{inside}");
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_refused() {
        let ours = |address: &str| ["/", "/login"].contains(&address);
        let good = r##"<a href="/login">a</a><a href="#main">b</a><a href="">c</a>"##;
        assert_eq!(addresses(&body(good), ours), [""; 0]);
        assert_eq!(addresses(&page(r#"<link rel="icon" href="data:image/svg+xml,x">"#, ""), ours), [""; 0]);
        for address in ["https://example.com/", "//example.com/", "/nowhere", "login", "javascript:x"] {
            assert_ne!(addresses(&body(&format!("<a href='{address}'>x</a>")), ours), [""; 0], "{address}");
        }
        assert_ne!(addresses(&body(r#"<img src="data:image/png,x">"#), ours), [""; 0]);
    }

    #[test]
    fn an_id_that_is_there_twice_or_nowhere_is_refused() {
        let good = r##"<p id="a"></p><p id="b"></p><input aria-describedby="a b"><a href="#a"></a>"##;
        assert_eq!(ids(&body(good)), [""; 0]);
        for inside in [
            r#"<p id="a"></p><p id="a"></p>"#,
            r#"<label for="a"></label>"#,
            r#"<p id="a"></p><input aria-describedby="a b">"#,
            r##"<a href="#a"></a>"##,
        ] {
            assert_ne!(ids(&body(inside)), [""; 0], "{inside}");
        }
    }

    #[test]
    fn an_input_without_label_or_autocomplete_is_refused() {
        let good = r#"<label for="name">x</label><input id="name" autocomplete="username">
            <label><input type="checkbox"> x</label>"#;
        assert_eq!(inputs(&body(good)), [""; 0]);
        for inside in [
            r#"<input id="name" autocomplete="username">"#,
            r#"<label>x</label><input autocomplete="username">"#,
            r#"<label for="name">x</label><input id="name">"#,
            r#"<label for="name">x</label><input id="name" autocomplete="off">"#,
        ] {
            assert_ne!(inputs(&body(inside)), [""; 0], "{inside}");
        }
    }

    #[test]
    fn a_password_that_shows_or_is_cut_off_is_refused() {
        let input = |attributes: &str| {
            body(&format!(r#"<label><input autocomplete="new-password" {attributes}> x</label>"#))
        };
        assert_eq!(inputs(&input("type=password")), [""; 0]);
        assert_ne!(inputs(&input("type=text")), [""; 0]);
        assert_ne!(inputs(&input("")), [""; 0]);
        assert_ne!(inputs(&input("type=password maxlength=16")), [""; 0]);
    }

    #[test]
    fn another_head_or_header_is_seen() {
        let one = page(&format!("{HEAD}<title>One</title>"), "<header>COFRAP</header>");
        assert_eq!(
            shared(&one),
            shared(&page(&format!("{HEAD}<title>Two</title>"), "<header>COFRAP</header>"))
        );
        assert_ne!(shared(&one), shared(&page(HEAD, "<header>Cofrap</header>")));
        assert_ne!(shared(&one), shared(&page(r#"<meta charset="utf-8">"#, "<header>COFRAP</header>")));
    }
}
