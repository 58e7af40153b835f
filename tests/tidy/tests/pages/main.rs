//! The pages as they are in the tree: their markup, their words, their scripts, their weight. What each check refuses
//! is shown beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a check that cannot read the tree has failed")]

mod html;
mod markup;
mod messages;
mod script;
mod wording;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use html::Element;
use messages::Messages;
use script::Script;
use tidy::{files, read, root};

/// Files that the first look at a page may load, before any question to the API.
const FILES_MAX: usize = 5;
/// Their bytes in sum, packed as the fileserver sends them.
const BYTES_MAX: usize = 60_000;

/// Runs a check on each of some files, and shows everything that is wrong with any of them.
fn check<T>(some: impl IntoIterator<Item = (String, T)>, check: impl Fn(&T) -> Vec<String>) {
    let mut checked = 0;
    let mut wrong = String::new();
    for (name, one) in some {
        checked += 1;
        for complaint in check(&one) {
            wrong += &format!("\n{name}: {complaint}");
        }
    }
    assert!(checked > 0, "there is nothing to check");
    assert!(wrong.is_empty(), "{wrong}");
}

fn named(path: &Path) -> String {
    path.display().to_string()
}

fn pages() -> Vec<(String, Element)> {
    let page = |path: &PathBuf| {
        html::parse(&read(path)).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
    };
    files("static", ".html").iter().map(|path| (named(path), page(path))).collect()
}

fn scripts() -> Vec<(String, Script)> {
    files("static", ".js").iter().map(|path| (named(path), Script::read(&read(path)))).collect()
}

fn messages(language: &str) -> Messages {
    Messages::parse(&read(format!("static/messages/{language}.json"))).unwrap()
}

fn both_languages() -> [(String, Messages); 2] {
    ["fr", "en"].map(|language| (language.to_owned(), messages(language)))
}

/// The file that answers at an address of ours: a page's address has no ending.
fn file_at(address: &str) -> Option<PathBuf> {
    let name = address.strip_prefix('/')?;
    let name = if name.is_empty() { "index" } else { name };
    let with_ending = if name.contains('.') { name.to_owned() } else { format!("{name}.html") };
    let file = Path::new("static").join(with_ending);
    root().join(&file).is_file().then_some(file)
}

/// The codes of the contract, which another test compares with the service's own table.
fn contract() -> BTreeSet<String> {
    let document = read("static/openapi.yaml");
    let lists =
        document.split("code:\n").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("enum: ["));
    let codes: BTreeSet<String> =
        lists.flat_map(|list| list.split(']').next().unwrap().split(", ")).map(str::to_owned).collect();
    assert!(codes.len() >= 20, "the contract's codes are found: {codes:?}");
    codes
}

/// The bytes that travel for a file.
fn packed(file: &PathBuf) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(root().join(file)).unwrap()).unwrap();
    encoder.finish().unwrap().len()
}

/// Everything that a page loads before it asks the API: itself, its styles, its scripts with what they import, and the
/// larger language.
fn loaded(page: &Path) -> BTreeSet<PathBuf> {
    let html = html::parse(&read(page)).unwrap();
    let is_loaded = |element: &&Element| ["link", "script", "img"].contains(&element.name.as_str());
    let named = html.all().into_iter().filter(is_loaded);
    let addresses = named.filter_map(|element| element.attribute("href").or(element.attribute("src")));
    let mut waiting: Vec<PathBuf> = addresses.filter_map(file_at).collect();
    let languages = ["fr", "en"].map(|language| PathBuf::from(format!("static/messages/{language}.json")));
    waiting.extend(languages.into_iter().max_by_key(packed));

    let mut found: BTreeSet<PathBuf> = [page.to_path_buf()].into();
    while let Some(file) = waiting.pop() {
        if file.extension().is_some_and(|ending| ending == "js") && !found.contains(&file) {
            let beside =
                |import: &str| file_at(&format!("/js/{}", import.rsplit('/').next().unwrap_or(import)));
            waiting.extend(Script::read(&read(&file)).imports().filter_map(beside));
        }
        found.insert(file);
    }
    found
}

#[test]
fn a_page_is_french_until_a_script_translates_it_and_lets_its_reader_zoom() {
    check(pages(), markup::head);
}

#[test]
fn a_page_holds_no_code_and_no_style() {
    check(pages(), markup::inline_code);
}

#[test]
fn a_page_leads_only_to_pages_and_files_of_ours_that_exist() {
    check(pages(), |page| markup::addresses(page, |address| file_at(address).is_some()));
}

#[test]
fn an_id_is_there_once_wherever_it_is_named() {
    check(pages(), markup::ids);
}

#[test]
fn every_input_has_a_label_and_says_what_a_browser_may_fill_in() {
    check(pages(), markup::inputs);
}

#[test]
fn all_pages_have_the_same_head_and_header() {
    let pages = pages();
    let (_, first) = &pages[0];
    for (name, page) in &pages {
        assert_eq!(markup::shared(page), markup::shared(first), "{name}");
    }
}

#[test]
fn a_page_says_what_the_french_messages_say() {
    let french = messages("fr");
    check(pages(), |page| wording::keyed(page, &french));
}

#[test]
fn a_page_says_nothing_that_has_no_translation() {
    check(pages(), wording::unkeyed);
}

#[test]
fn the_title_of_a_page_is_its_heading() {
    check(pages(), wording::title);
}

#[test]
fn both_languages_have_the_same_keys_and_the_same_blanks() {
    check([("en".to_owned(), messages("en"))], |english| messages::counterparts(&messages("fr"), english));
    check(both_languages(), messages::empty);
}

#[test]
fn each_language_keeps_its_own_typography() {
    check([("fr".to_owned(), messages("fr"))], messages::french_typography);
    check([("en".to_owned(), messages("en"))], messages::english_typography);
}

#[test]
fn every_key_is_used_and_every_key_that_is_used_exists() {
    let pages = pages();
    let in_pages: BTreeSet<String> =
        pages.iter().flat_map(|(_, page)| wording::keys(page)).map(str::to_owned).collect();
    let scripts: Vec<Script> = scripts().into_iter().map(|(_, script)| script).collect();
    check(both_languages(), |messages| script::keys(messages, &in_pages, &scripts));
}

#[test]
fn every_problem_of_the_contract_is_explained_in_both_languages() {
    let contract = contract();
    check(both_languages(), |messages| messages::problems(messages, &contract));
}

#[test]
fn every_character_that_a_password_may_have_has_a_name_in_both_languages() {
    check(both_languages(), messages::characters);
}

#[test]
fn whoever_is_refused_is_told_to_wait_for_a_new_code() {
    check([("fr".to_owned(), messages("fr"))], |french| {
        messages::refusals(french, &[["attend", "nouveau code"]])
    });
    let english = [["wait", "new code"], ["wait", "next code"]];
    check([("en".to_owned(), messages("en"))], |messages| messages::refusals(messages, &english));
}

#[test]
fn a_script_never_makes_markup_or_code_of_a_text_and_knows_no_other_site() {
    check(scripts(), script::dangers);
}

#[test]
fn a_browser_keeps_the_language_and_the_two_tokens_and_nothing_else() {
    let kept = |storage: &str| -> BTreeSet<String> {
        let of_one = |(name, script): &(String, Script)| {
            script::kept(script, storage)
                .unwrap_or_else(|use_of_it| panic!("{name}: what is kept? {use_of_it}"))
        };
        scripts().iter().flat_map(of_one).collect()
    };
    assert_eq!(kept("localStorage"), ["language".to_owned()].into());
    assert_eq!(kept("sessionStorage"), ["enrollment".to_owned(), "renewal".to_owned()].into());
    for (name, script) in scripts() {
        for other in ["indexedDB", "document.cookie", "caches.", "serviceWorker"] {
            assert!(!script.code.contains(other), "{name}: {other}");
        }
    }
}

#[test]
fn a_page_is_five_files_and_60_kilobytes_at_the_most() {
    for page in files("static", ".html") {
        let files = loaded(&page);
        let bytes: usize = files.iter().map(packed).sum();
        assert!(
            files.len() <= FILES_MAX && bytes <= BYTES_MAX,
            "{}: {bytes} bytes in {files:?}",
            page.display()
        );
        assert!(files.iter().any(|file| file.ends_with("page.js")), "{}: {files:?}", page.display());
    }
}
