//! A person without a mouse: what the keys do, and where the focus is.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::Browser;

/// More stops than any page has.
const STOPS: u32 = 60;

impl Browser {
    pub(crate) fn press(&self, key: Key) {
        self.type_keys(&char::from(key).to_string());
    }

    /// The key, with Shift held.
    pub(crate) fn press_with_shift(&self, key: Key) {
        let (shift, key) = (char::from(Key::Shift), char::from(key));
        let down = |value| KeyAction::Down { value };
        let up = |value| KeyAction::Up { value };
        let keys = KeyActions::new("keyboard".to_owned());
        self.act(keys.then(down(shift)).then(down(key)).then(up(key)).then(up(shift)));
    }

    /// Types into whatever has the focus.
    pub(crate) fn type_keys(&self, text: &str) {
        let keys = text.chars().fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.act(keys);
    }

    /// Presses Tab until an element that matches the selector has the focus. Each stop on the way has to be seen.
    pub(crate) fn tab_to(&self, selector: &str) {
        for _ in 0..STOPS {
            self.press(Key::Tab);
            self.expect_visible_focus();
            if self.has_focus(selector) {
                return;
            }
        }
        panic!("Tab never leads to {selector} on {}", self.address());
    }

    pub(crate) fn has_focus(&self, selector: &str) -> bool {
        self.script("return document.activeElement.matches(arguments[0])", &[json!(selector)]) == true
    }

    /// The element that has the focus is in the window, and has an outline (or a shadow that stands for one).
    fn expect_visible_focus(&self) {
        let focused = self.script(FOCUSED, &[]);
        assert_eq!(focused["fault"], Value::Null, "{} on {}", focused, self.address());
    }

    fn act(&self, keys: KeyActions) {
        self.wait(self.client.perform_actions(keys)).unwrap();
    }
}

const FOCUSED: &str = "
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const place = element.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    const fault =
        !outlined && style.boxShadow === 'none' ? 'no outline'
        : place.width * place.height === 0 ? 'no size'
        : place.bottom <= 0 || place.top >= innerHeight || place.right <= 0 || place.left >= innerWidth ? 'outside the window'
        : null;
    return { fault, element: element.outerHTML };";
