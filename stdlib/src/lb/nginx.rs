//! `lb::nginx`: nginx before a cluster's API.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::listener::{LISTENERS, listeners};
use super::program::{Before, OWNS, Program, RELOAD_ON, State, TIMEOUT, Usual, VARS, path_of, template, unit_of};

/// See [`Op::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Nginx(Program);

const USUAL: Usual = Usual {
    unit: "nginx",
    path: "/etc/nginx/nginx.conf",
    template: "nginx.conf.j2",
    test: "nginx -t -q -c %s",
    owns: &[],
};

#[async_trait]
impl Op for Nginx {
    const NAME: &'static str = "lb.nginx";
    const ABOUT: &'static str = "nginx hands connections on to the backends of its ports, unread (its module `stream`).

A listener is a map:

| name | what |
|---|---|
| `name` | what it is called in the configuration |
| `port` | where clients connect |
| `backends` | an array of `ADDRESS:PORT`; their order does not matter |
| `address` | the address on which it listens; all of the host when left out |

The file is the whole configuration of nginx, so a host whose nginx serves something else gets a template of yours. `nginx -t` \
must accept it. Then nginx is started, or reloaded where it runs: connections that stand are served on by the old workers.

nginx only notices a backend that refuses or does not answer a new connection. It does not ask whether an API server \
is ready; `lb::haproxy` does.

**Undo** puts the file back and reloads, or stops what did not run.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), LISTENERS],
        options: &[
            path_of("/etc/nginx/nginx.conf"),
            unit_of("nginx"),
            template("nginx.conf.j2"),
            VARS,
            RELOAD_ON,
            OWNS,
            TIMEOUT,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "nginx before two API servers, where it did not run.",
            given: "",
            code: r#"lb::nginx(h, [#{ name: "apiserver", port: 16443, backends: ["192.0.2.1:6443", "192.0.2.2:6443"] }])"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "A further backend, while it runs: it is reloaded.",
            given: RUNNING,
            code: r#"lb::nginx(h, [#{ name: "apiserver", port: 16443, backends: ["192.0.2.1:6443", "192.0.2.3:6443"] }], #{ vars: #{ connect_timeout: "500ms" } })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const SETTLES: bool = true;

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let names = [("listeners".to_owned(), Value::List(listeners(arguments)?))];
        Ok(vec![Nginx(Program::parse(arguments, &USUAL, names.into())?)])
    }

    fn target(&self) -> String {
        self.0.target()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        self.0.observe(host).await
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        self.0.assume(state, overlay)
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        self.0.plan(state)
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.0.apply(host, before, keep).await
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        self.0.standing(state, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.0.undo(host, before, keep).await
    }

    async fn settle(&self, host: &Host, first: &Before, before: &Before, keep: &Keep) -> Result<()> {
        self.0.settle(host, first, before, keep).await
    }
}

/// One backend, for the examples.
pub(super) const RUNNING: &str = concat!(
    "printf 'include /etc/nginx/modules-enabled/*.conf;\\nevents {}\\nstream {\\n  upstream apiserver { server 192.0.2.1:6443; }\\n",
    "  server { listen 16443; proxy_pass apiserver; }\\n}\\n' >/etc/nginx/nginx.conf && systemctl start nginx"
);
