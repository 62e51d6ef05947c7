//! Lines from a person at a terminal.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_script::Repl;
use haengine_script::session::is_whole;
use reedline::{
    EditCommand, Emacs, IdeMenu, KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch,
    Reedline, ReedlineEvent, ReedlineMenu, Signal, ValidationResult, Validator, default_emacs_keybindings,
};

use crate::cmd::repl::history::Kept;
use crate::cmd::repl::input::{Input, Read};
use crate::cmd::repl::menu::Menu;
use crate::report::Paint;

const MENU: &str = "completion";

/// A line that is edited in place, with a menu and a history.
pub struct Editor(Reedline);

impl Editor {
    /// An editor whose history is kept in this folder, and whose menu knows what the session knows.
    ///
    /// # Errors
    /// When the history cannot be kept there.
    pub fn new(folder: &Path, paint: Paint, repl: Arc<Mutex<Repl>>) -> Result<Editor> {
        let menu = IdeMenu::default()
            .with_name(MENU)
            .with_max_completion_height(12)
            .with_max_description_width(90)
            .with_default_border();
        let mut keys = default_emacs_keybindings();
        let forward = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(forward));
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
        let editor = Reedline::create()
            .with_history(Box::new(Kept::open(folder)?))
            .with_completer(Box::new(Menu(repl)))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_validator(Box::new(Whole))
            .with_ansi_colors(paint.is_on());
        Ok(Editor(editor))
    }
}

impl Input for Editor {
    fn read(&mut self, prompt: &str) -> Result<Read> {
        let read = self.0.read_line(&Name(prompt.to_owned()));
        Ok(match read {
            Ok(Signal::Success(line)) => Read::Line(line),
            Ok(Signal::CtrlD) => Read::End,
            Ok(_) => Read::Nothing,
            Err(error) => {
                let failed = Error::new(Kind::Local, "repl.input", "the terminal cannot be read");
                return Err(failed.hint("hand the lines in with `haengine repl < FILE`").because(error.to_string()));
            }
        })
    }

    fn is_person(&self) -> bool {
        true
    }
}

/// Enter ends a line only when nothing is open in it.
struct Whole;

impl Validator for Whole {
    fn validate(&self, line: &str) -> ValidationResult {
        let whole = is_whole(line) || line.starts_with([':', '!']);
        if whole { ValidationResult::Complete } else { ValidationResult::Incomplete }
    }
}

/// What stands before a line: what lines do here, where that is something else than usual.
struct Name(String);

impl Prompt for Name {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("… ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}
