//! `k8s::lock`.

use std::sync::Arc;
use std::time::Duration;

use haengine_kernel::error::Kind;
use haengine_kernel::guard::{Guard, Hold};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::{Approve, Lock};
use serde_json::{Value as Json, json};

use crate::api::{Plane, Wish};
use crate::{arguments, ensure, host, op, plane, undo};

/// A run of somebody who knows which runs of a state folder have died: all or none.
fn run(id: &str, state: &str, all_dead: bool) -> Holder {
    Holder {
        run: id.to_owned(),
        operator: format!("{id}@laptop"),
        state: state.to_owned(),
        since: jiff::Timestamp::from_second(1_800_000_000).unwrap(),
        dead: Some(DeadRuns(Arc::new(move |_| all_dead))),
    }
}

async fn take(plane: &Plane, host: &Arc<Host>, holder: &Holder) -> haengine_kernel::error::Result<Arc<dyn Hold>> {
    let options = vec![("kubeconfig", Value::from(plane.admin()))];
    let lock = Lock::parse(&arguments(Lock::NAME, &Lock::SIGNATURE, vec![], options).unwrap()).unwrap();
    lock.take(host, holder).await
}

fn like() -> Json {
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "haengine", "namespace": "kube-system" } })
}

fn acquired(lease: &Json) -> jiff::Timestamp {
    lease["spec"]["acquireTime"].as_str().unwrap().parse().unwrap()
}

fn lease(holder: &str, renewed: jiff::Timestamp) -> Json {
    let mut lease = like();
    lease["spec"] =
        json!({ "holderIdentity": holder, "leaseDurationSeconds": 30, "renewTime": format!("{renewed:.6}") });
    lease
}

/// Nobody knows whose the cluster is while no API server answers.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_starts_while_the_lock_is_not_sure() {
    let Some(plane) = crate::api::own().await else { return };
    let (_hosts, host) = host();
    let lock = take(&plane, &host, &run("unsure", "/state/a", false)).await.unwrap();
    lock.check().await.unwrap();
    plane.signal("STOP");
    // A third of the time that the lease lasts, and a little.
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    let unsure = tokio::time::timeout(Duration::from_secs(1), lock.check()).await;
    assert!(unsure.is_err(), "a change would start");
    plane.signal("CONT");
    tokio::time::timeout(Duration::from_secs(20), lock.check()).await.expect("it is renewed again").unwrap();
    lock.release().await;
    assert!(plane.object(&like()).await.is_null(), "nothing is left of a lock");
}

/// One test, since there is one lease.
#[tokio::test(flavor = "multi_thread")]
async fn one_run_at_a_time_on_a_cluster() {
    let plane = plane!();
    let (_hosts, host) = host();

    let first = take(&plane, &host, &run("first", "/state/a", false)).await.unwrap();
    let there = plane.object(&like()).await;
    assert_eq!(there["spec"]["holderIdentity"], "haengine-first");
    assert_eq!(there["spec"]["leaseDurationSeconds"], 30);
    let Err(refused) = take(&plane, &host, &run("second", "/state/b", true)).await else { panic!("two at once") };
    assert_eq!(refused.kind(), Kind::Locked);
    assert!(refused.message().contains("run first of first@laptop has held the lock since 2027"), "{refused}");
    first.check().await.unwrap();
    first.release().await;
    assert!(plane.object(&like()).await.is_null(), "nothing is left of a lock");

    // A run of the same state folder knows which of its own have died; whoever was thought dead learns it.
    let dead = take(&plane, &host, &run("dead", "/state/a", false)).await.unwrap();
    let since = acquired(&plane.object(&like()).await);
    // The server tells its time in seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let heir = take(&plane, &host, &run("heir", "/state/a", true)).await.unwrap();
    let started = std::time::Instant::now();
    while dead.check().await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(30), "it still believes that the lock is its own");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(dead.check().await.unwrap_err().message().contains("run heir of heir@laptop"));
    dead.release().await;
    let there = plane.object(&like()).await;
    assert_eq!(there["spec"]["holderIdentity"], "haengine-heir", "what was lost is not let go");
    assert!(acquired(&there) > since, "it has it since it took it, not since the dead one did");
    let renewed: jiff::Timestamp = there["spec"]["renewTime"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(renewed).as_secs() < 15, "it is renewed: {renewed}");
    heir.check().await.unwrap();
    heir.release().await;

    // Nobody knows whose it is: while it is fresh it counts, and when it has run out it does not.
    plane.create(&lease("somebody", jiff::Timestamp::now())).await.unwrap();
    let Err(refused) = take(&plane, &host, &run("third", "/state/c", true)).await else { panic!("two at once") };
    assert!(refused.message().contains("somebody else"), "{refused}");
    plane.delete(&like()).await;
    plane.create(&lease("somebody", jiff::Timestamp::now() - Duration::from_secs(60))).await.unwrap();
    let third = take(&plane, &host, &run("third", "/state/c", false)).await.unwrap();
    third.release().await;
    assert!(plane.object(&like()).await.is_null());

    // The kubelet of a request that is older than the lock may be gone: the one that runs by now asks in its place.
    let gone = plane.ask(&Wish::of("again")).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let kept = Keep::new("locked", 1);
    let lock = take(&plane, &host, &run(&kept.run, "/state/d", false)).await.unwrap();
    let options = vec![("kubeconfig", Value::from(plane.admin())), ("timeout", Value::from("20s"))];
    let approve: Approve = op(vec![Value::from("again")], options);
    let asks = async {
        while !plane.is_issued(&gone).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        plane.ask(&Wish::of("again")).await
    };
    let (before, alive) = tokio::join!(ensure(&host, &approve, &kept), asks);
    assert!(plane.is_issued(&alive).await, "approve was over before the kubelet that runs had asked");
    undo(&host, &approve, &before.unwrap().expect("a change"), &kept).await.unwrap();
    assert!(plane.csr(&gone).await.is_none() && plane.csr(&alive).await.is_none());
    lock.release().await;
}
