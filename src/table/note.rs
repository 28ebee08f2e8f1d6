//! What the store has decided about its table, for the debug log.

use std::sync::Mutex;

use crate::lock::lock;

/// The latest decision, which is taken once.
#[derive(Debug, Default)]
pub struct Note(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    text: String,
    taken: bool,
}

impl Note {
    /// Replaces the note. The same text is not taken again.
    pub fn set(&self, text: String) {
        let mut content = lock(&self.0);
        if content.text != text {
            *content = Content { text, taken: false };
        }
    }

    pub fn take(&self) -> Option<String> {
        let mut content = lock(&self.0);
        let new = !content.taken && !content.text.is_empty();
        content.taken = true;
        new.then(|| content.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_once() {
        let note = Note::default();
        assert_eq!(note.take(), None);
        for (text, taken) in [("one", Some("one")), ("one", None), ("two", Some("two"))] {
            note.set(text.into());
            assert_eq!(note.take().as_deref(), taken);
            assert_eq!(note.take(), None);
        }
    }
}
