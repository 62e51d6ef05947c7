//! A run's lock on the cluster outlives an API server.

use crate::stage::Stage;

/// From one renewal to the next, one API server that does not answer, and a second for the clocks.
const AGE: i64 = 10;

pub fn an_api_server_that_dies(stage: &mut Stage) {
    stage.clear();
    stage.settle();
    stage.cluster.site.write("lock.rhai", include_str!("lock.rhai"));
    let run = stage.recipe("run", "lock.rhai", &[]).ended_with(0);
    let told = run.events().iter().find_map(|event| {
        event["message"].as_str()?.strip_prefix("the lease is ")?.strip_suffix(" s old")?.parse::<i64>().ok()
    });
    // One that was renewed within this second may be of the next: whole seconds are compared.
    assert!(told.is_some_and(|age| age <= AGE), "the lease was not renewed through the other API server: {}", run.out);
    let left = "kubectl --cache-dir /tmp/kubectl -n kube-system get lease haengine -o name --ignore-not-found";
    assert_eq!(stage.cluster.site.on("master2", left), "", "nothing is left of a lock");
    stage.settle();
    stage.cluster.undo(&run).ended_with(0);
}
