//! `k8s::approve` with requests that are made as a kubelet makes them.

use std::time::{Duration, Instant};

use haengine_kernel::error::Kind;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::Approve;

use crate::api::{Plane, Wish};
use crate::{ensure, host, keep, op, plane, undo};

fn approve(plane: &Plane, node: &str, more: Vec<(&str, Value)>) -> Approve {
    let mut options = vec![("kubeconfig", Value::from(plane.admin())), ("timeout", Value::from("20s"))];
    options.extend(more);
    op(vec![Value::from(node)], options)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_later_is_approved_at_once_and_undone() {
    let plane = plane!();
    let (_hosts, host) = host();
    let op = approve(&plane, "later", vec![]);
    let asked = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let (name, came) = (plane.ask(&Wish::of("later")).await, Instant::now());
        while !plane.is_approved(&name).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        (name, came.elapsed())
    };
    let kept = keep(1);
    let (before, (name, took)) = tokio::join!(ensure(&host, &op, &kept), asked);
    let before = before.unwrap().expect("a change");
    println!("approved {took:?} after it came");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(plane.is_issued(&name).await);

    plane.node("later").await;
    assert_eq!(ensure(&host, &op, &keep(2)).await.unwrap(), None, "again it is nothing to do");
    assert_eq!(undo(&host, &op, &before, &keep(1)).await.unwrap(), Standing::Ours);
    assert!(plane.csr(&name).await.is_none());
    assert!(!plane.has_node("later").await);
    assert_eq!(undo(&host, &op, &before, &keep(1)).await.unwrap(), Standing::AsBefore);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_right_is_refused_and_nothing_is_approved() {
    let plane = plane!();
    let (_hosts, host) = host();
    let serving = Wish {
        signer: "kubernetes.io/kubelet-serving",
        usages: &["digital signature", "server auth"],
        ..Wish::of("wrong1")
    };
    let everything = &["digital signature", "client auth", "server auth"];
    let address = rcgen::SanType::IpAddress([10, 9, 8, 7].into());
    let wrong = [
        ("signer", serving),
        ("organisation", Wish { organization: "system:others", ..Wish::of("wrong2") }),
        ("usages", Wish { usages: everything, ..Wish::of("wrong3") }),
        ("`eve`", Wish { token: "t-eve", ..Wish::of("wrong4") }),
        ("10.9.8.7", Wish { names: vec![address], ..Wish::of("wrong5") }),
    ];
    for (word, wish) in wrong {
        let name = plane.ask(&wish).await;
        let error = ensure(&host, &approve(&plane, wish.node, vec![]), &keep(3)).await.expect_err(word);
        assert_eq!((error.kind(), error.code()), (Kind::Refused, "k8s.csr"), "{error}");
        assert!(error.message().contains(word), "{word}: {error}");
        assert!(error.message().contains(&name), "{error}");
        assert!(!plane.is_approved(&name).await, "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_another_node_is_not_approved_but_named() {
    let plane = plane!();
    let (_hosts, host) = host();
    let name = plane.ask(&Wish::of("another")).await;
    let op = approve(&plane, "mistyped", vec![("timeout", Value::from("1s"))]);
    let error = ensure(&host, &op, &keep(8)).await.expect_err("it is another's");
    assert_eq!(error.code(), "k8s.csr_timeout");
    assert!(error.advice().unwrap().contains("`another`"), "{:?}", error.advice());
    assert!(!plane.is_approved(&name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_that_are_right_none_is_approved() {
    let plane = plane!();
    let (_hosts, host) = host();
    let eves = plane.ask(&Wish { token: "t-eve", ..Wish::of("several") }).await;
    let first = plane.ask(&Wish::of("several")).await;
    let second = plane.ask(&Wish { token: "t-kubelet", ..Wish::of("several") }).await;
    let op = approve(&plane, "several", vec![]);
    let error = ensure(&host, &op, &keep(4)).await.expect_err("whose they are, nobody can tell");
    assert_eq!((error.kind(), error.code()), (Kind::Refused, "k8s.csr"), "{error}");
    assert!(error.message().contains(&first) && error.message().contains(&second), "{error}");
    for name in [&eves, &first, &second] {
        assert!(!plane.is_approved(name).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_ask_are_heard() {
    let plane = plane!();
    let (_hosts, host) = host();
    let list = |names: &[&str]| Value::List(names.iter().map(|name| Value::from(*name)).collect());
    let name = plane.ask(&Wish { token: "t-kubelet", ..Wish::of("users") }).await;
    let none = approve(&plane, "users", vec![("requestors", list(&[])), ("groups", list(&["system:bootstrappers"]))]);
    assert_eq!(ensure(&host, &none, &keep(5)).await.expect_err("nobody").code(), "k8s.csr");
    let groups = approve(&plane, "users", vec![("requestors", list(&[])), ("groups", list(&["joiners"]))]);
    assert!(ensure(&host, &groups, &keep(5)).await.unwrap().is_some());
    assert!(plane.is_issued(&name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_its_kubelet_brings_back_is_gone_in_the_end() {
    let plane = plane!();
    let (_hosts, host) = host();
    let name = plane.ask(&Wish::of("back")).await;
    // An address that is not among the endpoints needs no wait.
    let op = approve(&plane, "back", vec![("address", Value::from("192.0.2.1"))]);
    let state = op.observe(&host).await.unwrap();
    let Plan::Change(change) = op.plan(&state).unwrap() else { panic!("nothing to do") };
    assert!(!plane.is_approved(&name).await, "a plan touches nothing");
    op.apply(&host, &change.before, &keep(9)).await.unwrap();
    plane.node("back").await;
    op.undo(&host, &change.before, &keep(9)).await.unwrap();
    assert!(!plane.has_node("back").await);
    plane.node("back").await;
    op.settle(&host, &change.before, &change.before, &keep(9)).await.unwrap();
    assert!(!plane.has_node("back").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_there_before_stays() {
    let plane = plane!();
    let (_hosts, host) = host();
    plane.node("stays").await;
    let name = plane.ask(&Wish::of("stays")).await;
    let op = approve(&plane, "stays", vec![]);
    let before = ensure(&host, &op, &keep(10)).await.unwrap().expect("a change");
    assert!(plane.is_issued(&name).await);
    undo(&host, &op, &before, &keep(10)).await.unwrap();
    assert!(plane.has_node("stays").await && plane.csr(&name).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nothing_comes_the_error_says_where_to_look() {
    let plane = plane!();
    let (hosts, host) = host();
    let op = approve(&plane, "never", vec![("timeout", Value::from("1s"))]);
    let error = ensure(&host, &op, &keep(6)).await.expect_err("nothing comes");
    assert_eq!(error.code(), "k8s.csr_timeout");
    assert!(error.advice().unwrap().contains("journalctl -u kubelet"), "{error}");
    assert!(hosts.waits().total() > Duration::from_millis(900), "it counts as waited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_dies_in_the_middle_is_named() {
    let Some(plane) = crate::api::own().await else { return };
    let (_hosts, host) = host();
    let op = approve(&plane, "cut", vec![("timeout", Value::from("4s"))]);
    let dies = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        plane.kill();
    };
    let kept = keep(7);
    let (result, ()) = tokio::join!(ensure(&host, &op, &kept), dies);
    let error = result.expect_err("it is dead");
    assert_eq!(error.code(), "k8s.unreachable", "{error}");
    assert!(error.message().contains(&format!("127.0.0.1:{}", plane.port)), "{error}");
}
