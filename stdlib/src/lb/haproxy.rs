//! `lb::haproxy`: haproxy before a cluster's API, or its etcd.

use std::collections::BTreeMap;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::op::Example;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::listener::{LISTENERS, listeners};
use super::program::{Balancing, OWNS, RELOAD_ON, TIMEOUT, Usual, VARS, path_of, template, unit_of};

/// See [`Balancing::ABOUT`].
#[derive(Clone)]
pub struct Haproxy;

impl Balancing for Haproxy {
    const NAME: &'static str = "lb.haproxy";
    const ABOUT: &'static str = "haproxy hands connections on to the backends of its ports that are well.

A listener is a map:

| name | what |
|---|---|
| `name` | what it is called in the configuration |
| `port` | where clients connect |
| `backends` | an array of `ADDRESS:PORT`; their order does not matter |
| `address` | the address on which it listens; all of the host when left out |
| `check` | a path such as `/readyz` that a backend that is well answers; without it, it need only accept connections |
| `check_port` | the port that is asked; the backend's own when left out |
| `plain` | true where the check speaks HTTP without TLS |
| `expect` | what haproxy's `http-check expect` takes; `status 200` when left out |

A backend that is not well gets no new connections, and those that it has are cut, so that clients go to another one. \
The file is the whole configuration of haproxy; `haproxy -c` must accept it. Then haproxy is started, or reloaded \
where it runs: connections that stand are served on by the old process.

**Undo** puts the file back and reloads, or stops what did not run.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), LISTENERS],
        options: &[
            Param::option(
                "monitor",
                ParamKind::Integer,
                Absent::Means("()"),
                "A port on 127.0.0.1 that answers `/ready` with 200 while every listener has a backend that is well.",
            ),
            Param::option(
                "stats",
                ParamKind::Integer,
                Absent::Means("()"),
                "A port with haproxy's page of statistics.",
            ),
            path_of("/etc/haproxy/haproxy.cfg"),
            unit_of("haproxy"),
            template("haproxy.cfg.j2"),
            VARS,
            RELOAD_ON,
            OWNS,
            TIMEOUT,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "haproxy before two API servers, where it did not run.",
            given: "",
            code: r#"lb::haproxy(h, [#{ name: "apiserver", port: 16443, backends: ["192.0.2.1:6443", "192.0.2.2:6443"], check: "/readyz" }], #{ monitor: 16444 })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Before etcd, whose health is asked at another port without TLS; with a page of statistics.",
            given: "",
            code: r#"lb::haproxy(h, [#{ name: "etcd", port: 12379, backends: ["192.0.2.1:2379"], check: "/health", check_port: 2381, plain: true, expect: "string true" }], #{ stats: 16445 })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const USUAL: Usual = Usual {
        test: "haproxy -c -q -f %s",
        // Debian's unit shows it the log there, for which systemd makes a file.
        owns: &["/var/lib/haproxy/dev"],
    };

    fn names(arguments: &Arguments) -> Result<BTreeMap<String, Value>> {
        let mut names: BTreeMap<String, Value> = [("listeners".to_owned(), Value::List(listeners(arguments)?))].into();
        for port in ["monitor", "stats"] {
            names.extend(arguments.opt_integer(port).map(|number| (port.to_owned(), Value::Integer(number))));
        }
        Ok(names)
    }
}
