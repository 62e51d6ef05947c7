//! Everything that can be known before any host is touched.

use std::sync::Arc;

use haengine_kernel::error::Error;
use haengine_kernel::event::Level;
use haengine_kernel::inventory::Inventory;
use haengine_script::lint::Severity;
use haengine_script::{Bound, Fault, Finding, Recipe};

use crate::person::Asked;
use crate::workshop::Workshop;

/// A recipe with its parameters and its inventory, in which nothing wrong was found.
pub struct Prepared {
    /// The recipe.
    pub recipe: Recipe,
    /// Its parameters.
    pub bound: Bound,
    /// The hosts that it is about.
    pub inventory: Arc<Inventory>,
    /// How it was called.
    pub call: Call,
}

/// A recipe and its parameters, as somebody wrote them.
#[derive(Clone, Debug)]
pub struct Call {
    /// The recipe's name or path.
    pub recipe: String,
    /// Names and values; of a secret, where it is found.
    pub parameters: Vec<(String, String)>,
}

/// Why nothing was begun.
#[derive(Debug)]
pub enum Refusal {
    /// Something cannot be read, does not fit, or must not be.
    Fault(Fault),
    /// Lines of the recipe would fail.
    Findings(Vec<Finding>),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Fault(error.into())
    }
}

impl Workshop {
    /// Loads and checks. What would fail at some line is refused here, before the first line is run.
    ///
    /// # Errors
    /// When the recipe or the inventory cannot be read, a parameter does not fit, or a line would fail.
    pub fn prepare(&self, recipe: &str, parameters: &[(String, String)]) -> Result<Prepared, Refusal> {
        let call = Call { recipe: recipe.to_owned(), parameters: parameters.to_vec() };
        let recipe = self.library().load(&self.sources, recipe)?;
        for moved in self.sources.all_moved(recipe.snapshot()) {
            self.person.events().log(Level::Warning, None, moved.text());
        }
        let inventory = Arc::new(self.inventory()?);
        self.check(recipe, inventory, call, self.has_inventory())
    }

    /// Binds the parameters and looks for what would fail at some line; `named` says whether there is an inventory.
    pub(crate) fn check(
        &self,
        recipe: Recipe,
        inventory: Arc<Inventory>,
        call: Call,
        named: bool,
    ) -> Result<Prepared, Refusal> {
        let secrets = Asked(self.person.clone());
        let bound = recipe.bind(&call.parameters, &inventory, &secrets, self.home.as_deref());
        let bound = bound.map_err(|fault| without_inventory(named, fault))?;
        let mut findings = recipe.check(Some(inventory.as_ref()).filter(|_| named));
        findings.retain(|finding| finding.severity == Severity::Error);
        if findings.is_empty() {
            Ok(Prepared { recipe, bound, inventory, call })
        } else {
            Err(Refusal::Findings(findings))
        }
    }
}

/// Where no inventory was named, that is what is wrong about every name of a host.
fn without_inventory(named: bool, fault: Fault) -> Fault {
    let error = fault.error();
    if !named && error.code().starts_with("inventory.unknown") {
        let error = Error::new(error.kind(), error.code(), error.message());
        return error.hint("name the inventory with `-i FILE`").into();
    }
    fault
}
