//! A call as a recipe writes it out, for what a verb can say of it before any host is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::arguments::LocalTexts;
use crate::error::Error;
use crate::reach::Reach;

/// What is written out of a call.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Folders to which local paths may be relative.
    pub folders: Vec<PathBuf>,
    /// What local files held when the recipe was loaded.
    pub files: LocalTexts,
    /// What may be read of the operator's machine; everything where nothing is said.
    pub reach: Option<Arc<Reach>>,
    /// Texts by the name of their argument or option.
    pub texts: BTreeMap<&'static str, String>,
    /// The keys of maps, where all of them are known, by the name of the argument or option.
    pub keys: BTreeMap<&'static str, BTreeSet<String>>,
}

/// Something about a call that is not as it should be.
#[derive(Debug)]
pub struct Doubt {
    /// What it is about.
    pub sort: DoubtSort,
    /// The argument or option.
    pub argument: &'static str,
    /// The key of that argument's map, where it is about one that is there.
    pub key: Option<String>,
    /// What is wrong, and what to do about it.
    pub error: Error,
}

/// What a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtSort {
    /// A template that is not there, or cannot be read as one.
    Template,
    /// A variable that a template needs and does not get.
    Lacking,
    /// A variable that a template gets and does not use.
    Unused,
}
