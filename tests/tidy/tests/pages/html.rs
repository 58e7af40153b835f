//! A page as a tree of elements. Nothing is repaired: what a browser would have to guess is an error here.

use std::collections::BTreeMap;

use html5gum::{StartTag, Token, Tokenizer};

/// Elements without content or end tag (HTML standard, section 13.1.2), as far as a page may want them.
const VOID: [&str; 10] = ["area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"];

#[derive(Debug, Default, PartialEq)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Node>,
}

#[derive(Debug, PartialEq)]
pub enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// This element and all below it, in the order of the page.
    pub fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.elements().flat_map(Self::all)).collect()
    }

    pub fn find(&self, name: &str) -> Option<&Self> {
        self.all().into_iter().find(|element| element.name == name)
    }

    /// All text in it, joined.
    pub fn text(&self) -> String {
        let texts = self.children.iter().map(|node| match node {
            Node::Element(element) => element.text(),
            Node::Text(text) => text.clone(),
        });
        texts.collect()
    }
}

/// For messages: the element's start tag, shortened to what tells it from others.
impl std::fmt::Display for Element {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "<{}", self.name)?;
        for name in ["id", "data-text", "data-alt", "data-label", "href", "src"] {
            if let Some(value) = self.attribute(name) {
                write!(formatter, " {name}={:.40}", value)?;
            }
        }
        formatter.write_str(">")
    }
}

/// The page as the content of an element without a name.
pub fn parse(html: &str) -> Result<Element, String> {
    let mut open = vec![Element::default()];
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let element = element(&tag);
                if tag.self_closing || VOID.contains(&element.name.as_str()) {
                    add(&mut open, Node::Element(element));
                } else {
                    open.push(element);
                }
            }
            Token::EndTag(tag) => {
                let name = text(&tag.name);
                match open.pop() {
                    Some(element) if element.name == name => add(&mut open, Node::Element(element)),
                    other => return Err(format!("</{name}> ends {}", other.unwrap_or_default())),
                }
            }
            Token::String(value) => add(&mut open, Node::Text(text(&value))),
            Token::Error(error) => return Err(format!("{} is no HTML", error.value)),
            Token::Comment(_) | Token::Doctype(_) => {}
        }
    }
    match open.pop() {
        Some(page) if open.is_empty() => Ok(page),
        element => Err(format!("{} has no end", element.unwrap_or_default())),
    }
}

fn add(open: &mut [Element], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn element(tag: &StartTag<()>) -> Element {
    let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value))).collect();
    Element { name: text(&tag.name), attributes, children: Vec::new() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_page_is_read_with_its_entities_decoded_and_its_comments_left_out() {
    let page = parse("<!doctype html><p id=a>Un&nbsp;: <b>deux</b><!-- trois --><br></p>").unwrap();
    let paragraph = page.find("p").unwrap();
    assert_eq!(paragraph.attribute("id"), Some("a"));
    assert_eq!(paragraph.text(), "Un\u{a0}: deux");
    assert_eq!(paragraph.elements().count(), 2);
}

#[test]
fn what_a_browser_would_have_to_repair_is_refused() {
    for html in ["<p>one<p>two</p>", "<b><i>x</b></i>", "</p>", "<p id=a id=b></p>", "<p>&unknown;</p>"] {
        assert!(parse(html).is_err(), "{html}");
    }
}
