//! The sentences of the pages, by key, in one file for each language.

use std::collections::BTreeSet;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A file of messages, in its own order.
pub struct Messages(Vec<(String, String)>);

impl Messages {
    /// Reads a flat object whose values are texts; a key that is there twice is an error.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, sentence)| sentence.as_str())
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    fn sentences(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str()))
    }
}

impl<'de> serde::Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Messages;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object of sentences")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Messages, A::Error> {
                let mut messages = Messages(Vec::new());
                while let Some((key, sentence)) = map.next_entry::<String, String>()? {
                    if messages.get(&key).is_some() {
                        return Err(A::Error::custom(format!("{key} is there twice")));
                    }
                    messages.0.push((key, sentence));
                }
                Ok(messages)
            }
        }
        json.deserialize_map(InOrder)
    }
}

/// Two languages say the same things, in the same order, with the same blanks to fill in.
pub fn counterparts(french: &Messages, english: &Messages) -> Vec<String> {
    let mut wrong = Vec::new();
    if !french.keys().eq(english.keys()) {
        let pairs = french.keys().map(Some).chain([None]).zip(english.keys().map(Some).chain([None]));
        let first = pairs.into_iter().find(|(one, other)| one != other);
        wrong.push(format!("from here on the keys differ: {first:?}"));
    }
    for (key, sentence) in french.sentences() {
        let other = english.get(key).unwrap_or_default();
        if placeholders(sentence) != placeholders(other) {
            wrong.push(format!("{key} has other blanks: {sentence:?}, {other:?}"));
        }
    }
    wrong
}

fn placeholders(sentence: &str) -> BTreeSet<&str> {
    sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

pub fn empty(messages: &Messages) -> Vec<String> {
    let is_empty = |(_, sentence): &(&str, &str)| sentence.trim().is_empty() || sentence.trim() != *sentence;
    messages
        .sentences()
        .filter(is_empty)
        .map(|(key, _)| format!("{key} is empty, or has spaces around it"))
        .collect()
}

/// French keeps its high signs on the line of their word, and writes the apostrophe as a comma.
pub fn french_typography(messages: &Messages) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, sentence) in messages.sentences() {
        let signs: Vec<char> = std::iter::once(' ').chain(sentence.chars()).chain([' ']).collect();
        for three in signs.windows(3) {
            let (before, sign, after) = (three[0], three[1], three[2]);
            let good = match sign {
                '\'' => false,
                '«' => after == '\u{a0}',
                // Not those of an address or a time of day, nor a sign that is itself spoken of.
                ':' => !after.is_whitespace() || before == '\u{a0}',
                ';' | '?' | '!' | '»' => before == '\u{a0}' || "?!".contains(before),
                _ => true,
            };
            if !good {
                wrong.push(format!("{key}: around the {sign} of {sentence:?}"));
            }
        }
    }
    wrong
}

/// English has no space before them.
pub fn english_typography(messages: &Messages) -> Vec<String> {
    let signs = [':', ';', '?', '!'];
    let spaced = |sentence: &str| sentence.split(['\u{a0}', ' ']).skip(1).any(|rest| rest.starts_with(signs));
    let is_wrong = |(_, sentence): &(&str, &str)| spaced(sentence);
    messages.sentences().filter(is_wrong).map(|(key, sentence)| format!("{key}: {sentence:?}")).collect()
}

/// What an answer may say that is no code of the contract: nothing at all, something else, the ingress's own refusal.
const OUR_OWN_PROBLEMS: [&str; 3] = ["network", "unexpected", "too_many_requests"];

/// Every code of the contract is explained, and nothing else is.
pub fn problems(messages: &Messages, contract: &BTreeSet<String>) -> Vec<String> {
    let known: BTreeSet<&str> = contract.iter().map(String::as_str).chain(OUR_OWN_PROBLEMS).collect();
    let unexplained = known.iter().filter(|code| messages.get(&format!("problem.{code}")).is_none());
    let explained = messages.keys().filter_map(|key| key.strip_prefix("problem."));
    let unknown = explained.filter(|code| !known.contains(code.split('@').next().unwrap_or(code)));
    unexplained
        .map(|code| format!("{code} has no sentence"))
        .chain(unknown.map(|code| format!("{code} is no problem of the contract")))
        .collect()
}

/// Every character that a password may have has a name: letters and digits by their kind, each sign its own.
pub fn characters(messages: &Messages) -> Vec<String> {
    let signs = ('!'..='~').filter(char::is_ascii_punctuation).map(String::from);
    let needed: BTreeSet<String> = signs.chain(["digit", "upper", "lower"].map(str::to_owned)).collect();
    let named = messages.keys().filter_map(|key| key.strip_prefix("character.")).map(str::to_owned).collect();
    needed
        .symmetric_difference(&named)
        .map(|one| format!("{one} is a character or has a name, not both"))
        .collect()
}

/// A code is good once: who was refused has to wait for the next one, and every such sentence says so.
pub fn refusals(messages: &Messages, ways_to_say_it: &[[&str; 2]]) -> Vec<String> {
    let says_it = |sentence: &str| {
        let sentence = sentence.to_lowercase();
        ways_to_say_it.iter().any(|words| words.iter().all(|word| sentence.contains(word)))
    };
    let is_refusal = |key: &str| key.split('@').next() == Some("problem.invalid_credentials");
    let refusals: Vec<_> = messages.sentences().filter(|(key, _)| is_refusal(key)).collect();
    if refusals.is_empty() {
        return vec!["there is no sentence for wrong credentials".to_owned()];
    }
    let silent = refusals.into_iter().filter(|(_, sentence)| !says_it(sentence));
    silent.map(|(key, sentence)| format!("{key} does not say to wait for a new code: {sentence:?}")).collect()
}

mod samples {
    use super::{
        Messages, characters, counterparts, empty, english_typography, french_typography, problems, refusals,
    };

    fn one(sentence: &str) -> Messages {
        Messages(vec![("a.b".to_owned(), sentence.to_owned())])
    }

    fn some(keys: &[&str]) -> Messages {
        Messages(keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect())
    }

    #[test]
    fn a_file_that_is_not_a_flat_object_of_texts_is_refused() {
        assert!(Messages::parse(r#"{"b": "x", "a": "y"}"#).unwrap().keys().eq(["b", "a"]));
        for json in [r#"{"a": "x", "a": "x"}"#, r#"{"a": {"b": "x"}}"#, r#"{"a": 1}"#, "[]", ""] {
            assert!(Messages::parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn languages_that_differ_in_more_than_their_words_are_refused() {
        assert_eq!(counterparts(&one("{time} puis {name}"), &one("{name}, then {time}")), [""; 0]);
        assert_ne!(counterparts(&one("Dans {time}"), &one("In {delay}")), [""; 0]);
        assert_ne!(counterparts(&one("Dans {time}"), &one("Soon")), [""; 0]);
        assert_ne!(counterparts(&some(&["a", "b"]), &some(&["a"])), [""; 0]);
        assert_ne!(counterparts(&some(&["a"]), &some(&["a", "b"])), [""; 0]);
        assert_ne!(counterparts(&some(&["a", "b"]), &some(&["b", "a"])), [""; 0]);
    }

    #[test]
    fn an_empty_sentence_is_refused() {
        assert_eq!(empty(&one("x")), [""; 0]);
        for sentence in ["", " ", "\u{a0}", "x "] {
            assert_ne!(empty(&one(sentence)), [""; 0], "{sentence:?}");
        }
    }

    #[test]
    fn french_signs_that_could_begin_a_line_are_refused() {
        for good in ["L’un\u{a0}: «\u{a0}deux\u{a0}»\u{a0}; trois\u{a0}?", "À 12:30", "Quoi\u{a0}?!"] {
            assert_eq!(french_typography(&one(good)), [""; 0], "{good}");
        }
        for bad in [
            "Un : deux",
            "Un: deux",
            "Un ; deux",
            "Un ?",
            "Un!",
            "«\u{a0}Un »",
            "« Un\u{a0}»",
            "«Un\u{a0}»",
            "L'un",
        ] {
            assert_ne!(french_typography(&one(bad)), [""; 0], "{bad}");
        }
    }

    #[test]
    fn english_with_a_space_before_a_sign_is_refused() {
        assert_eq!(english_typography(&one("One: two, 10\u{a0}minutes.")), [""; 0]);
        for bad in ["One\u{a0}: two", "One\u{a0}?", "One ;"] {
            assert_ne!(english_typography(&one(bad)), [""; 0], "{bad}");
        }
    }

    #[test]
    fn a_problem_that_only_one_side_knows_is_refused() {
        let contract = ["not_found".to_owned()].into();
        let ours = ["problem.network", "problem.unexpected", "problem.too_many_requests"];
        let with = |more: &[&str]| some(&[&ours, more].concat());
        assert_eq!(
            problems(&with(&["problem.not_found", "problem.not_found@login", "a.b"]), &contract),
            [""; 0]
        );
        assert_ne!(problems(&with(&[]), &contract), [""; 0]);
        assert_ne!(problems(&some(&["problem.not_found"]), &contract), [""; 0]);
        assert_ne!(problems(&with(&["problem.not_found", "problem.gone"]), &contract), [""; 0]);
        assert_ne!(problems(&with(&["problem.not_found", "problem.gone@login"]), &contract), [""; 0]);
    }

    #[test]
    fn a_character_without_a_name_is_refused() {
        let signs = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;
        let mut keys: Vec<String> = signs.chars().map(|sign| format!("character.{sign}")).collect();
        keys.extend(["character.digit", "character.upper", "character.lower"].map(str::to_owned));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(characters(&some(&keys)), [""; 0]);
        assert_ne!(characters(&some(&keys[1..])), [""; 0]);
        assert_ne!(characters(&some(&[&keys[..], &["character.é"]].concat())), [""; 0]);
    }

    #[test]
    fn a_refusal_that_does_not_say_to_wait_for_a_new_code_is_refused() {
        let ways = [["wait", "new code"], ["wait", "next code"]];
        let refusal = |key: &str, sentence: &str| Messages(vec![(key.to_owned(), sentence.to_owned())]);
        let key = "problem.invalid_credentials";
        assert_eq!(refusals(&refusal(key, "Check them. Wait for a new code."), &ways), [""; 0]);
        assert_ne!(refusals(&refusal(key, "Check them, and ask for a new code."), &ways), [""; 0]);
        assert_ne!(refusals(&refusal("problem.invalid_credentials@login", "Wrong."), &ways), [""; 0]);
        assert_ne!(refusals(&some(&["a.b"]), &ways), [""; 0]);
    }
}
