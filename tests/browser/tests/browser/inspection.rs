//! What holds wherever a person may be: anybody can see, read and use it, on any screen, in both languages.

use std::fs;
use std::sync::LazyLock;

use harness::workspace;
use serde_json::{Value, json};

use crate::browser::{DESK, PHONE, Size};
use crate::devtools::Theme;
use crate::messages::{english, french};
use crate::person::Person;
use crate::screen;
use crate::states::State;

/// The narrowest window that WCAG 2.2 asks for (1.4.10).
const NARROWEST: Size = (320, 740);

/// axe-core: the rules of WCAG 2.2 A and AA that a machine can check, and what its authors call good practice.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = workspace::root().join("tests/browser/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}. Run `make test`, which installs it.", file.display()))
});

/// What is wrong with what is on the screen now, as sentences. Leaves pictures.
pub(crate) fn faults(person: &Person<'_>, state: &State) -> Vec<String> {
    let inspection = Inspection { person, state: state.name };
    person.script(&AXE, &[]);
    let mut faults = Vec::from_iter(inspection.place(state));
    faults.extend(inspection.everywhere("fr", true));
    person.click("language");
    person.expect_that("document.documentElement.lang === 'en'");
    faults.extend(inspection.everywhere("en", false));
    faults.extend(inspection.french_in_english());
    person.click("language");
    person.expect_that("document.documentElement.lang === 'fr'");
    faults.extend(person.complaints().into_iter().map(|complaint| format!("the console says {complaint}")));
    faults.into_iter().map(|fault| format!("{}: {fault}", state.name)).collect()
}

struct Inspection<'a> {
    person: &'a Person<'a>,
    state: &'static str,
}

impl Inspection<'_> {
    /// Whether the list of states is right about what this one shows.
    fn place(&self, state: &State) -> Option<String> {
        let shown = self.person.script(PLACE, &[]);
        let (file, step) =
            state.shows.split_once('#').map_or((state.shows, None), |(file, step)| (file, Some(step)));
        let path = match file {
            "index.html" => "/",
            "404.html" => "/nothing-here",
            page => &format!("/{}", page.trim_end_matches(".html")),
        };
        let expected = json!({ "path": path, "steps": step.into_iter().collect::<Vec<_>>() });
        (shown != expected).then(|| format!("shows {shown} instead of {expected}"))
    }

    /// In every size and theme: a picture, and what must hold there. `all_rules` holds each of them against the rules of
    /// accessibility, which takes time, and not the first only.
    fn everywhere(&self, language: &str, all_rules: bool) -> Vec<String> {
        let mut faults = Vec::new();
        for (size_name, size) in [("phone", PHONE), ("desk", DESK)] {
            self.person.resize(size);
            faults.extend(self.too_wide(size));
            for theme in [Theme::Light, Theme::Dark] {
                self.person.prefer(theme);
                let name = format!("{}-{language}-{size_name}-{}", self.state, theme.name());
                screen::keep(&self.person.whole_page(), &name);
                if all_rules || (size == PHONE && theme == Theme::Light) {
                    let violations = self.person.script_until_called(RUN_AXE, &[]);
                    faults.extend(texts(&violations).map(|violation| format!("{name}: {violation}")));
                }
            }
        }
        self.person.resize(NARROWEST);
        faults.extend(self.too_wide(NARROWEST));
        faults
            .extend(texts(&self.person.script(HEADING, &[])).map(|fault| format!("in {language}, {fault}")));
        faults
    }

    fn too_wide(&self, (width, _): Size) -> Option<String> {
        self.person.scrolls_sideways().then(|| format!("scrolls sideways at {width} pixels"))
    }

    /// What is still French on a page that was switched to English.
    fn french_in_english(&self) -> Vec<String> {
        let messages = [Value::from(french().clone()), Value::from(english().clone())];
        let left = self.person.script(FRENCH_IN_ENGLISH, &messages);
        texts(&left).map(|text| format!("French in English: {text:?}")).collect()
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default())
}

const PLACE: &str = "
    const steps = [...document.querySelectorAll('[data-step]')].filter((step) => step.checkVisibility());
    return { path: location.pathname, steps: steps.map((step) => step.id) };";

const HEADING: &str = "
    const headings = [...document.querySelectorAll('h1')].filter((heading) => heading.checkVisibility());
    const texts = headings.map((heading) => heading.textContent.trim());
    if (texts.length !== 1) return [`there are ${texts.length} headings of the first level: ${texts}`];
    const isTitled = document.title.startsWith(texts[0]);
    return isTitled ? [] : [`the title is ${document.title}, the heading ${texts[0]}`];";

const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const options = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] };
    const told = ({ id, help, nodes }) =>
        nodes.map((node) => `${id} (${help}): ${node.html} ${node.failureSummary}`);
    axe.run(options).then(({ violations }) => done(violations.flatMap(told)), (error) => done([String(error)]));";

const FRENCH_IN_ENGLISH: &str = r"
    const [french, english] = arguments;
    const plain = (text) => text.replace(/\s+/g, ' ').trim();
    const literally = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const form = (sentence) => new RegExp(`^${plain(sentence).split(/\{\w+\}/).map(literally).join('.*')}$`);
    const forms = Object.entries(french)
        .filter(([key, sentence]) => sentence !== english[key])
        .filter(([, sentence]) => /\p{L}{2}/u.test(sentence.replace(/\{\w+\}/g, '')))
        .map(([, sentence]) => form(sentence));
    const isFrench = (text) => forms.some((form) => form.test(plain(text)));
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { data, parentElement } = walker.currentNode;
        const isSwitch = parentElement.id === 'language';
        if (data.trim() && !isSwitch && parentElement.checkVisibility() && isFrench(data)) found.push(data);
    }
    for (const name of ['alt', 'aria-label']) {
        for (const element of document.querySelectorAll(`[${name}]`)) {
            const text = element.getAttribute(name);
            if (element.checkVisibility() && isFrench(text)) found.push(text);
        }
    }
    return found;";
