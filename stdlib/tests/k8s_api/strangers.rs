//! `k8s::apply` and `k8s::delete` where somebody else works on the same objects.

use haengine_kernel::error::Kind;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::{Apply, Delete};
use serde_json::{Value as Json, json};

use crate::objects::{apply, at, map, may_keep, release};
use crate::{ensure, host, keep, op, plane, undo, undo_leaving};

fn managers(object: &Json) -> Vec<(&str, &str)> {
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    managers.iter().map(|one| (one["manager"].as_str().unwrap(), one["operation"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_faster_keeps_what_he_placed() {
    let plane = plane!();
    let (_hosts, host) = host();
    let op = apply(&plane, map("str-faster", json!({ "a": "mine" })), vec![("force", Value::Boolean(true))]);
    let Plan::Change(change) = op.plan(&op.observe(&host).await.unwrap()).unwrap() else { panic!("nothing to do") };
    let theirs = map("str-faster", json!({ "a": "theirs" }));
    plane.create(&theirs).await.unwrap();
    let error = op.apply(&host, &change.before, &keep(111)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Drift, "k8s.changed"), "{error}");
    assert_eq!(plane.object(&theirs).await["data"]["a"], "theirs");
    let before = serde_json::to_value(&change.before).unwrap();
    let (_, remains) = undo_leaving(&host, &op, &before, &keep(111)).await.unwrap();
    assert_eq!(remains[0].what, "configmap/str-faster in default");
    assert_eq!(plane.object(&theirs).await["data"]["a"], "theirs");
    release(&[111]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_created_goes_on_as_if_it_had_been_applied() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let like = map("str-fields", json!({}));
    let first = apply(&plane, map("str-fields", json!({ "a": "1", "b": "2" })), vec![]);
    ensure(&host, &first, &keep(121)).await.unwrap().unwrap();
    assert_eq!(managers(&plane.object(&like).await), [("haengine", "Apply")]);
    let second = apply(&plane, map("str-fields", json!({ "b": "3" })), vec![]);
    ensure(&host, &second, &keep(122)).await.unwrap().unwrap();
    assert_eq!(plane.object(&like).await["data"], json!({ "b": "3" }), "a field that is no longer named goes");
    release(&[121, 122]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_placed_anew_stays() {
    let plane = plane!();
    let (_hosts, host) = host();
    let wanted = map("str-anew", json!({ "a": "1" }));
    let mine = apply(&plane, wanted.clone(), vec![]);
    let before = ensure(&host, &mine, &keep(131)).await.unwrap().unwrap();
    plane.delete(&wanted).await;
    // Another run of haengine, with the same words.
    ensure(&host, &mine, &keep(132)).await.unwrap().unwrap();
    let uid = plane.object(&wanted).await["metadata"]["uid"].clone();
    let (stood, remains) = undo_leaving(&host, &mine, &before, &keep(131)).await.unwrap();
    assert_eq!((stood, remains.len()), (Standing::Ours, 1));
    assert!(!remains[0].by_rule && remains[0].kept.is_none());
    assert_eq!(plane.object(&wanted).await["metadata"]["uid"], uid);
    release(&[131, 132]);
}

/// The host keeps no record, as where the run died before it was written: the object itself says whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_is_known_by_its_maker() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let folder = keep(141).folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(65534), None).unwrap();
    let wanted = map("str-maker", json!({ "a": "1" }));
    let op = apply(&plane, wanted.clone(), vec![]);
    let before = ensure(&host, &op, &keep(141)).await.unwrap().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "somebody else's folder is not entered");
    assert_eq!(managers(&plane.object(&wanted).await), [("haengine-n0nce141", "Update")]);
    assert_eq!(ensure(&host, &op, &keep(142)).await.unwrap(), None, "again it is nothing to do");
    let changed = apply(&plane, map("str-maker", json!({ "a": "2" })), vec![]);
    let later = ensure(&host, &changed, &keep(142)).await.unwrap().unwrap();
    assert_eq!(undo(&host, &changed, &later, &keep(142)).await.unwrap(), Standing::Ours);
    assert_eq!(undo(&host, &op, &before, &keep(141)).await.unwrap(), Standing::Ours);
    assert!(plane.object(&wanted).await.is_null());
    release(&[141, 142]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_looked_at_is_changed() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let like = map("str-edit", json!({ "a": "old", "b": "old" }));
    plane.create(&like).await.unwrap();
    let op = apply(&plane, map("str-edit", json!({ "a": "mine" })), vec![("force", Value::Boolean(true))]);
    let planned = async || match op.plan(&op.observe(&host).await.unwrap()).unwrap() {
        Plan::Change(change) => change.before,
        Plan::Unchanged => panic!("nothing to do"),
    };
    let before = planned().await;
    plane.edit(&like, json!({ "data": { "a": "theirs" } })).await;
    let error = op.apply(&host, &before, &keep(151)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Drift, "k8s.changed"), "{error}");
    assert_eq!(plane.object(&like).await["data"]["a"], "theirs");

    // What is edited beside it is no matter of ours, and is not lost.
    let before = planned().await;
    plane.edit(&like, json!({ "data": { "b": "theirs" } })).await;
    op.apply(&host, &before, &keep(152)).await.unwrap();
    assert_eq!(plane.object(&like).await["data"], json!({ "a": "mine", "b": "theirs" }));
    let before = serde_json::to_value(&before).unwrap();
    assert_eq!(undo(&host, &op, &before, &keep(152)).await.unwrap(), Standing::Ours);
    assert_eq!(plane.object(&like).await["data"], json!({ "a": "theirs", "b": "theirs" }));
    release(&[151, 152]);
}

/// Somebody writes all the time: undo deletes no version that it has not seen, and loses none of the edits.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_between_look_and_undo_is_not_lost() {
    let plane = plane!();
    let (_hosts, host) = host();
    let wanted = map("str-undo", json!({ "a": "1" }));
    let op = apply(&plane, wanted.clone(), vec![]);
    let before = ensure(&host, &op, &keep(161)).await.unwrap().unwrap();
    plane.edit(&wanted, json!({ "data": { "a": "theirs" } })).await;
    let before: <Apply as Op>::Before = serde_json::from_value(before).unwrap();
    let op: Apply = serde_json::from_value(serde_json::to_value(&op).unwrap()).unwrap();
    let error = op.undo(&host, &before, &keep(161)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Drift, "k8s.changed"), "{error}");
    assert_eq!(plane.object(&wanted).await["data"]["a"], "theirs");
    release(&[161]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_the_name_of_what_was_deleted_stays() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let like = map("str-gone", json!({ "a": "1" }));
    plane.create(&like).await.unwrap();
    let op: Delete = op(vec![Value::from("cm/str-gone")], at(&plane, vec![("namespace", Value::from("default"))]));
    let Plan::Change(change) = op.plan(&op.observe(&host).await.unwrap()).unwrap() else { panic!("nothing to do") };
    plane.delete(&like).await;
    let theirs = map("str-gone", json!({ "a": "theirs" }));
    plane.create(&theirs).await.unwrap();
    let error = op.apply(&host, &change.before, &keep(171)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Drift, "k8s.changed"), "{error}");

    let before = ensure(&host, &op, &keep(172)).await.unwrap().unwrap();
    plane.create(&map("str-gone", json!({ "a": "another" }))).await.unwrap();
    let (_, remains) = undo_leaving(&host, &op, &before, &keep(172)).await.unwrap();
    assert_eq!(remains[0].what, "configmap/str-gone in default");
    assert_eq!(plane.object(&like).await["data"]["a"], "another");
    release(&[171, 172]);
}

/// Where something is in the way of what undo would need, nothing is changed and nothing is written through it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_overwrites_nothing() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let like = map("str-keep", json!({ "a": "old" }));
    plane.create(&like).await.unwrap();
    let op = apply(&plane, map("str-keep", json!({ "a": "new" })), vec![("force", Value::Boolean(true))]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), keep(181).folder()).unwrap();
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(keep(182).folder()).unwrap();
    let kept = format!("{}/182", keep(182).folder());
    std::fs::write(&kept, "theirs").unwrap();
    for change in [181, 182] {
        let error = ensure(&host, &op, &keep(change)).await.unwrap_err();
        assert_eq!(error.code(), "k8s.keep", "{error}");
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "theirs");
    assert_eq!(plane.object(&like).await["data"]["a"], "old");
    std::fs::remove_file(keep(181).folder()).unwrap();
    release(&[182]);
}

/// Runs before there were records knew an object by who set its fields.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_made_is_known_by_its_manager() {
    let plane = plane!();
    let (_hosts, host) = host();
    let wanted = map("str-older", json!({ "a": "1" }));
    let op = apply(&plane, wanted.clone(), vec![]);
    let before = ensure(&host, &op, &keep(191)).await.unwrap().unwrap();
    release(&[191]);
    let older = haengine_kernel::keep::Keep { nonce: String::new(), ..keep(191) };
    assert_eq!(undo(&host, &op, &before, &older).await.unwrap(), Standing::Ours);
    assert!(plane.object(&wanted).await.is_null());
    let theirs = map("str-older", json!({ "a": "theirs" }));
    plane.create(&theirs).await.unwrap();
    assert_eq!(undo_leaving(&host, &op, &before, &older).await.unwrap().1.len(), 1);
    assert_eq!(plane.object(&theirs).await["data"]["a"], "theirs");
}
