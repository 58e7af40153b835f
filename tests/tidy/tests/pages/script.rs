//! What a script says and does, as far as its text shows it.

use std::collections::BTreeSet;

use crate::messages::Messages;

/// A script taken apart: enough to tell code from comments and texts, far from a parser.
#[derive(Default)]
pub struct Script {
    /// Everything but comments.
    pub code: String,
    /// The texts in quotes, and those between backticks without a blank in them.
    pub texts: Vec<String>,
    /// What stands before the first blank of a text between backticks.
    pub stems: Vec<String>,
}

impl Script {
    pub fn read(source: &str) -> Self {
        let mut script = Self::default();
        script.take(source);
        script
    }

    /// Takes code up to the brace that closes it, or the end; returns what follows.
    fn take<'a>(&mut self, mut rest: &'a str) -> &'a str {
        let mut depth = 0;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = after_comment(rest) {
                rest = after;
                continue;
            }
            let mut length = first.len_utf8();
            match first {
                '`' => {
                    rest = self.take_template(&rest[1..]);
                    continue;
                }
                '"' | '\'' => {
                    length = quoted(rest, first);
                    self.texts.push(rest[1..length].trim_end_matches(first).to_owned());
                }
                '/' if self.expects_a_value() => length = quoted(rest, first),
                '{' => depth += 1,
                '}' if depth == 0 => return &rest[1..],
                '}' => depth -= 1,
                _ => {}
            }
            self.code.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        rest
    }

    /// Takes a text between backticks, whose blanks hold code; returns what follows.
    fn take_template<'a>(&mut self, mut rest: &'a str) -> &'a str {
        let mut is_first = true;
        self.code.push('`');
        loop {
            let blank = rest.find("${").unwrap_or(rest.len());
            let end = rest.find('`').unwrap_or(rest.len());
            let text = &rest[..blank.min(end)];
            self.code.push_str(text);
            if end <= blank {
                if is_first {
                    self.texts.push(text.to_owned());
                }
                self.code.push('`');
                return rest.get(end + 1..).unwrap_or_default();
            }
            if is_first {
                self.stems.push(text.to_owned());
            }
            is_first = false;
            self.code.push_str("${");
            rest = self.take(&rest[blank + 2..]);
            self.code.push('}');
        }
    }

    /// Whether a slash begins a regular expression here, or divides.
    fn expects_a_value(&self) -> bool {
        let before = self.code.trim_end();
        before.is_empty()
            || before.ends_with(['(', ',', '=', ':', '[', '!', '&', '|', '?', '{', '}', ';', '>'])
    }

    /// The scripts that this one is made of, as they are named in it.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str).filter(|text| text.ends_with(".js"))
    }
}

/// What follows the comment that begins here, if one does.
fn after_comment(rest: &str) -> Option<&str> {
    if rest.starts_with("//") {
        return Some(&rest[rest.find('\n').unwrap_or(rest.len())..]);
    }
    rest.strip_prefix("/*").map(|inside| inside.split_once("*/").map_or("", |(_, after)| after))
}

/// The length of what a sign opens and the same sign closes, both included.
fn quoted(rest: &str, sign: char) -> usize {
    let (mut is_escaped, mut in_class) = (false, false);
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' if sign == '/' => in_class = true,
            ']' if sign == '/' => in_class = false,
            _ if character == sign && !in_class => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// What makes markup or code of a text, or leads elsewhere.
pub fn dangers(script: &Script) -> Vec<String> {
    let dangers = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "setHTMLUnsafe",
        "createContextualFragment",
        "document.write",
        "eval(",
        "Function(",
        "DOMParser",
        "srcdoc",
        "setTimeout(\"",
        "setTimeout('",
        "setTimeout(`",
        "setInterval(\"",
        "setInterval('",
        "setInterval(`",
        "javascript:",
        "http://",
        "https://",
    ];
    dangers
        .into_iter()
        .filter(|word| script.code.contains(word))
        .map(|word| format!("it holds {word}"))
        .collect()
}

/// The keys that it keeps something under in one of the browser's storages, or what cannot be read off its text.
pub fn kept(script: &Script, storage: &str) -> Result<BTreeSet<String>, String> {
    let mut keys = BTreeSet::new();
    for use_of_it in script.code.split(storage).skip(1) {
        let method = ["getItem", "setItem", "removeItem"]
            .iter()
            .find_map(|method| use_of_it.strip_prefix('.')?.strip_prefix(method)?.strip_prefix('('));
        let argument = method.and_then(|call| call.split([',', ')']).next()).map(str::trim);
        let key = argument.and_then(|argument| text_of(script, argument));
        keys.insert(key.ok_or_else(|| format!("{storage}{:.40}", use_of_it.replace('\n', " ")))?);
    }
    Ok(keys)
}

/// A text in quotes, or the constant of this name.
fn text_of(script: &Script, argument: &str) -> Option<String> {
    let declaration = format!("const {argument} = ");
    let value = match script.code.split_once(&declaration) {
        Some((_, after)) => after.split(';').next()?,
        None => argument,
    };
    Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// The messages that pages and scripts name, and those that exist, are the same.
pub fn keys(messages: &Messages, in_pages: &BTreeSet<String>, scripts: &[Script]) -> Vec<String> {
    let texts: BTreeSet<&str> = scripts
        .iter()
        .flat_map(|script| &script.texts)
        .map(String::as_str)
        .chain(in_pages.iter().map(String::as_str))
        .collect();
    let stems: Vec<&str> = scripts.iter().flat_map(|script| &script.stems).map(String::as_str).collect();
    let groups: BTreeSet<&str> =
        messages.keys().filter_map(|key| key.split_once('.')).map(|(group, _)| group).collect();

    // `problem.code@place`: the place is a text of its own.
    let is_placed = |key: &str| key.split_once('@').is_none_or(|(_, place)| texts.contains(place));
    let is_built = |key: &str| stems.iter().any(|stem| stem.ends_with('.') && key.starts_with(stem));
    let unused = messages.keys().filter(|key| !(texts.contains(key) || is_built(key) && is_placed(key)));
    let names_a_group = |text: &str| text.split_once('.').is_some_and(|(group, _)| groups.contains(group));
    let missing = texts.iter().filter(|text| {
        let named = in_pages.contains(**text) || names_a_group(text) && !text.contains([' ', '/']);
        named && messages.get(text).is_none()
    });
    unused
        .map(|key| format!("{key} is used nowhere"))
        .chain(missing.map(|key| format!("{key} has no sentence")))
        .collect()
}

mod samples {
    use super::{Script, dangers, kept, keys};
    use crate::messages::Messages;

    #[test]
    fn a_script_is_read_without_its_comments_and_with_its_texts() {
        let script = Script::read(
            r#"// "one"
            /* "two" */ const a = "three"; f('fo\'ur', /["/]/.test(b), `five`, `six.${g({ h: "seven" })}.eight`, 1 / 2); // "no"
            "nine";"#,
        );
        assert_eq!(script.texts, ["three", "fo\\'ur", "five", "seven", "nine"]);
        assert_eq!(script.stems, ["six."]);
        assert!(!script.code.contains("one") && !script.code.contains("two") && !script.code.contains("no"));
    }

    #[test]
    fn imports_are_found() {
        let script = Script::read("import { a } from \"./page.js\";\nimport \"/js/other.js\"; f(\"json\");");
        assert!(script.imports().eq(["./page.js", "/js/other.js"]));
    }

    #[test]
    fn what_makes_code_or_markup_of_a_text_is_refused() {
        let good = "// https://example.com innerHTML\nsetTimeout(() => 1, 2); element.textContent = x;";
        assert_eq!(dangers(&Script::read(good)), [""; 0]);
        for bad in [
            "a.innerHTML = b;",
            "a[\"outerHTML\"] = b;",
            "a.insertAdjacentHTML(b, c)",
            "document.write(a)",
            "eval(a)",
            "new Function(a)",
            "new DOMParser()",
            "a.srcdoc = b",
            "setTimeout(\"a()\", 1)",
            "fetch(\"https://example.com\")",
            "fetch(`http://${host}`)",
        ] {
            assert_ne!(dangers(&Script::read(bad)), [""; 0], "{bad}");
        }
    }

    #[test]
    fn what_is_kept_in_the_browser_is_found_or_refused() {
        let script = Script::read(
            r#"const TOKEN = "token"; sessionStorage.setItem(TOKEN, x); sessionStorage.removeItem("other");"#,
        );
        assert_eq!(kept(&script, "sessionStorage").unwrap(), ["other".to_owned(), "token".to_owned()].into());
        assert!(kept(&script, "localStorage").unwrap().is_empty());
        for bad in [
            "sessionStorage.setItem(key, x)",
            "sessionStorage.password = x",
            "sessionStorage[key] = x",
            "const s = sessionStorage;",
            "sessionStorage.setItem(`a${b}`, x)",
        ] {
            assert!(kept(&Script::read(bad), "sessionStorage").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_that_only_one_side_knows_is_refused() {
        let messages =
            Messages::parse(r#"{"a.page": "x", "a.script": "x", "b.x": "x", "b.x@here": "x"}"#).unwrap();
        let in_pages = ["a.page".to_owned()].into();
        let check = |source: &str| keys(&messages, &in_pages, &[Script::read(source)]);
        let good = r#"say("a.script"); say(`b.${code}@${place}`, "here"); f("./a.js", "c.d");"#;
        assert_eq!(check(good), [""; 0]);
        assert_ne!(check(r#"say(`b.${code}`, "here")"#), [""; 0], "a.script is used nowhere");
        assert_ne!(check(r#"say("a.script")"#), [""; 0], "b.x is used nowhere");
        assert_ne!(check(r#"say("a.script"); say(`b.${code}`)"#), [""; 0], "no place is called so");
        assert_ne!(check(&format!(r#"{good} say("a.missing")"#)), [""; 0], "a.missing has no sentence");
        let elsewhere = ["a.page".to_owned(), "d.missing".to_owned()].into();
        assert_ne!(keys(&messages, &elsewhere, &[Script::read(good)]), [""; 0], "d.missing has no sentence");
    }
}
