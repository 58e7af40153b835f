//! The words of each page come from the messages, so that every one of them has a translation.

use crate::html::{Element, Node};
use crate::messages::Messages;

/// The attribute that holds a key, and the one that it fills; without one, it fills the content.
const KEYED: [(&str, Option<&str>); 3] =
    [("data-text", None), ("data-alt", Some("alt")), ("data-label", Some("aria-label"))];

/// Attributes that say something to a reader, and that nothing translates.
const UNKEYED: [&str; 4] = ["title", "placeholder", "aria-description", "aria-valuetext"];

/// The keys that the page names.
pub fn keys(page: &Element) -> Vec<&str> {
    let named = |element| KEYED.iter().filter_map(move |(key, _)| Element::attribute(element, key));
    page.all().into_iter().flat_map(named).collect()
}

/// What has a key says in the page what the French messages say, and nothing besides.
pub fn keyed(page: &Element, french: &Messages) -> Vec<String> {
    let mut wrong = Vec::new();
    for element in page.all() {
        if element.has("data-text") && element.elements().next().is_some() {
            wrong.push(format!("{element} has elements in it, which its text would replace"));
        }
        for (key, filled) in KEYED {
            let Some(key) = element.attribute(key) else { continue };
            let said = match filled {
                None => Some(element.text()),
                Some(attribute) => element.attribute(attribute).map(str::to_owned),
            };
            if said.as_deref() != french.get(key) {
                wrong.push(format!("{element} says {said:?}, and {key} {:?}", french.get(key)));
            }
        }
    }
    wrong
}

/// Nothing is said without a key, but what no language changes.
pub fn unkeyed(page: &Element) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(body) = page.find("body") {
        unkeyed_text(body, &mut wrong);
    }
    for element in page.all() {
        let (mut said, is_empty) = (UNKEYED.to_vec(), |name| element.attribute(name) == Some(""));
        said.extend(KEYED.iter().filter_map(|(key, filled)| filled.filter(|_| !element.has(key))));
        for name in said.into_iter().filter(|name| element.has(name) && !is_empty(name)) {
            wrong.push(format!("{element} has a {name} without a key"));
        }
    }
    wrong
}

fn unkeyed_text(element: &Element, wrong: &mut Vec<String>) {
    if element.has("data-text") || element.attribute("translate") == Some("no") {
        return;
    }
    for node in &element.children {
        match node {
            Node::Element(inside) => unkeyed_text(inside, wrong),
            Node::Text(text) if text.contains(char::is_alphanumeric) => {
                wrong.push(format!("{element} says {:?} without a key", text.trim()));
            }
            Node::Text(_) => {}
        }
    }
}

/// The title is the first heading's text, so that a tab and a screen reader name the page alike.
pub fn title(page: &Element) -> Vec<String> {
    let title = page.find("title").map(Element::text);
    let heading = page.find("h1").map(|heading| format!("{} · COFRAP", heading.text()));
    if title.is_some() && title == heading {
        return Vec::new();
    }
    vec![format!("the title is {title:?}, and would be {heading:?}")]
}

mod samples {
    use super::{keyed, keys, title, unkeyed};
    use crate::html::{Element, parse};
    use crate::messages::Messages;

    fn page(body: &str) -> Element {
        parse(&format!("<html><body>{body}</body></html>")).unwrap()
    }

    fn french() -> Messages {
        Messages::parse(r#"{"a.b": "Un\u00a0: deux", "a.c": "Trois"}"#).unwrap()
    }

    #[test]
    fn a_page_that_says_something_else_than_its_key_is_refused() {
        let good = r#"<p data-text="a.b">Un&nbsp;: deux</p><img data-alt="a.c" alt="Trois">"#;
        assert_eq!(keyed(&page(good), &french()), [""; 0]);
        assert_eq!(keys(&page(good)), ["a.b", "a.c"]);
        for inside in [
            r#"<p data-text="a.c">Quatre</p>"#,
            r#"<p data-text="a.c"></p>"#,
            r#"<p data-text="a.b">Un : deux</p>"#,
            r#"<p data-text="a.c"><b>Trois</b></p>"#,
            r#"<p data-text="a.d">Trois</p>"#,
            r#"<img data-alt="a.c">"#,
            r#"<img data-alt="a.c" alt="Quatre">"#,
            r#"<ol data-label="a.c" aria-label="Quatre"></ol>"#,
        ] {
            assert_ne!(keyed(&page(inside), &french()), [""; 0], "{inside}");
        }
    }

    #[test]
    fn words_without_a_key_are_refused() {
        let good = r#"<p data-text="a.c">Trois</p>, <b translate="no">COFRAP</b><img alt="">"#;
        assert_eq!(unkeyed(&page(good)), [""; 0]);
        for inside in [
            "<p>Trois</p>",
            r#"<p>2 <b data-text="a.c">Trois</b></p>"#,
            r#"<img alt="Trois">"#,
            r#"<nav aria-label="Trois"></nav>"#,
            r#"<input placeholder="Trois">"#,
            r#"<a title="Trois"></a>"#,
        ] {
            assert_ne!(unkeyed(&page(inside)), [""; 0], "{inside}");
        }
    }

    #[test]
    fn a_title_that_is_not_the_heading_is_refused() {
        assert_eq!(title(&page("<title>Un · COFRAP</title><h1>Un</h1><h1>Deux</h1>")), [""; 0]);
        for inside in
            ["<title>Un</title><h1>Un</h1>", "<title>Un · COFRAP</title><h1>Deux</h1>", "", "<h1>Un</h1>"]
        {
            assert_ne!(title(&page(inside)), [""; 0], "{inside}");
        }
    }
}
