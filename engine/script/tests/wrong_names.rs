//! What a run says when it comes to a name that nothing has: `check` is optional, the nearest name is not.

#![allow(clippy::unwrap_used)]

mod toy;

use toy::{World, run};

/// Code, message and hint of the error that ends a plan of these lines.
async fn said(body: &str) -> String {
    let fault = run(&World::new(), true, body).await.unwrap_err();
    let error = fault.error();
    format!("{}: {error}; {}", error.code(), error.advice().unwrap_or("no hint"))
}

#[tokio::test(flavor = "multi_thread")]
async fn functions() {
    insta::assert_snapshot!(said("setp(\"a\", || 1)").await, @"recipe.unknown_function: there is no function `setp` that takes (string, closure); write `step`");
    insta::assert_snapshot!(said("toy::sett(host(\"master1\"), \"/a\")").await, @"recipe.unknown_function: there is no function `toy::sett` that takes (host, string); write `toy::set`");
    insta::assert_snapshot!(said("set(host(\"master1\"), \"/a\", 1, 2)").await, @"recipe.unknown_function: `set` does not take (host, string, integer, integer); write `toy::set`");
    insta::assert_snapshot!(said("step(1, || 2)").await, @"recipe.unknown_function: `step` does not take (integer, closure); write `step(name, body)` or `step(name, options, body)`");
    insta::assert_snapshot!(said("step(\"a\")").await, @"recipe.unknown_function: `step` does not take (string); write `step(name, body)` or `step(name, options, body)`");
    insta::assert_snapshot!(said("[3].sotr()").await, @"recipe.unknown_function: there is no function `sotr` that takes (array); write `sort`");
    insta::assert_snapshot!(said("\"a\".frobnicate_it_all(1, 2.5, [], #{}, ())").await, @"recipe.unknown_function: there is no function `frobnicate_it_all` that takes (string, integer, float, array, map, nothing); no hint");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_on_several_hosts() {
    insta::assert_snapshot!(said("each(group(\"masters\"), |h| toy::gte(h, \"/a\"))").await, @"recipe.unknown_function: `each` failed on 2 of 2 hosts; write `toy::get`");
    insta::assert_snapshot!(said("each(group(\"workers\"), |h| h.nmae)").await, @"recipe.unknown_key: worker1: there is no `nmae` in a host; write `name`");
}

#[tokio::test(flavor = "multi_thread")]
async fn modules() {
    insta::assert_snapshot!(said("step(\"a\", || toi::get(1, 2))").await, @"recipe.unknown_module: there is no module `toi`; write `toy`");
}

#[tokio::test(flavor = "multi_thread")]
async fn properties() {
    insta::assert_snapshot!(said("host(\"master1\").adress").await, @"recipe.unknown_key: there is no `adress` in a host; write `address`");
    insta::assert_snapshot!(said("let m = #{ greeting: 1 }; m.greting").await, @"recipe.unknown_key: there is no `greting` in this value; write `greeting`");
    insta::assert_snapshot!(said("let m = #{ a: 1 }; m.frobnicated_in_vain").await, @"recipe.unknown_key: there is no `frobnicated_in_vain` in this value; no hint");
    insta::assert_snapshot!(said("\"text\".lenn").await, @"recipe.unknown_key: there is no `lenn` in a string; write `len`");
}
