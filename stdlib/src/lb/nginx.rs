//! `lb::nginx`: nginx before a cluster's API.

use std::collections::BTreeMap;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::op::Example;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::value::Value;

use super::listener::{LISTENERS, listeners};
use super::program::{Balancing, OWNS, RELOAD_ON, TIMEOUT, Usual, VARS, path_of, template, unit_of};

/// See [`Balancing::ABOUT`].
#[derive(Clone)]
pub struct Nginx;

impl Balancing for Nginx {
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
    const USUAL: Usual = Usual { test: "nginx -t -q -c %s", owns: &[] };

    fn names(arguments: &Arguments) -> Result<BTreeMap<String, Value>> {
        Ok([("listeners".to_owned(), Value::List(listeners(arguments)?))].into())
    }
}

/// One backend, for the examples.
pub(super) const RUNNING: &str = concat!(
    "printf 'include /etc/nginx/modules-enabled/*.conf;\\nevents {}\\nstream {\\n  upstream apiserver { server 192.0.2.1:6443; }\\n",
    "  server { listen 16443; proxy_pass apiserver; }\\n}\\n' >/etc/nginx/nginx.conf && systemctl start nginx"
);
