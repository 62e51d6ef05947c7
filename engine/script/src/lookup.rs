//! Hosts and groups by their names, and what a recipe can ask a host without a connection.

use haengine_kernel::value::Value;
use rhai::plugin::export_module;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use crate::frame::Frame;
use crate::host::HostRef;
use crate::raise::raise;
use crate::value::to_rhai;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<HostRef>("Host");
    engine.register_global_module(rhai::exported_module!(look_up).into());
    engine.register_global_module(rhai::exported_module!(properties).into());
}

/// Look-ups in the inventory.
#[export_module]
mod look_up {
    use super::*;

    /// The inventory's host of this name.
    #[rhai_fn(return_raw)]
    pub fn host(context: NativeCallContext, name: &str) -> Result<HostRef, Box<EvalAltResult>> {
        let frame = Frame::of(&context)?;
        let spec = frame.inventory(&context)?.host(name).map_err(raise)?;
        Ok(HostRef::new(spec.clone()))
    }

    /// The hosts of a group, in the order of the inventory; `all` is every host.
    #[rhai_fn(return_raw)]
    pub fn group(context: NativeCallContext, name: &str) -> Result<Array, Box<EvalAltResult>> {
        let frame = Frame::of(&context)?;
        let hosts = frame.inventory(&context)?.group(name).map_err(raise)?;
        Ok(hosts.into_iter().map(|spec| Dynamic::from(HostRef::new(spec.clone()))).collect())
    }
}

/// What a recipe can ask a host without a connection.
#[expect(clippy::unwrap_used, reason = "in what Rhai's macro makes of it")]
#[export_module]
mod properties {
    use super::*;

    /// The name in the inventory.
    #[rhai_fn(get = "name", pure)]
    pub fn name(host: &mut HostRef) -> ImmutableString {
        host.spec().name.as_str().into()
    }

    /// The address in the inventory.
    #[rhai_fn(get = "address", pure)]
    pub fn address(host: &mut HostRef) -> ImmutableString {
        host.spec().address.as_str().into()
    }

    /// The port of its sshd.
    #[rhai_fn(get = "port", pure)]
    pub fn port(host: &mut HostRef) -> i64 {
        host.spec().port.into()
    }

    /// The user who logs in.
    #[rhai_fn(get = "user", pure)]
    pub fn user(host: &mut HostRef) -> ImmutableString {
        host.spec().user.as_str().into()
    }

    /// The node's name as the inventory says it, or `()`.
    #[rhai_fn(get = "node_name", pure)]
    pub fn node_name(host: &mut HostRef) -> Dynamic {
        host.spec().node_name.clone().map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// The host's variables, those of the inventory's top included.
    #[rhai_fn(get = "vars", pure, return_raw)]
    pub fn vars(context: NativeCallContext, host: &mut HostRef) -> Result<Dynamic, Box<EvalAltResult>> {
        let frame = Frame::of(&context)?;
        let common = frame.common(&context)?;
        let mut vars = std::collections::BTreeMap::new();
        for (name, variable) in &host.spec().vars {
            vars.insert(name.clone(), variable.value(&*common.secrets).map_err(raise)?);
        }
        Ok(to_rhai(Value::Map(vars)))
    }

    /// Two hosts are the same when their names are.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(host: &mut HostRef, other: HostRef) -> bool {
        host.name() == other.name()
    }

    /// Two hosts differ when their names do.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(host: &mut HostRef, other: HostRef) -> bool {
        host.name() != other.name()
    }

    /// The name, in texts.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(host: &mut HostRef) -> ImmutableString {
        host.spec().name.as_str().into()
    }
}
