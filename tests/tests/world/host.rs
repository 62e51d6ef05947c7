//! Power, and the rights of the login user.

use haengine_tests::site::possible;
use jiff::Timestamp;

use crate::scene::{Scene, said};

#[test]
fn a_host_that_loses_its_power_is_told_and_comes_back() {
    if !possible() {
        return;
    }
    let mut scene = Scene::new("power", "");
    let (child, since) = (scene.midway("site.yaml"), Timestamp::now());
    scene.site.power_off("m2");
    let failed = scene.failed(child, since, "m2", &["ssh.lost"]);
    scene.site.power_on("m2");
    scene.watch("m2");
    scene.mended(&failed, "site.yaml");
}

#[test]
#[ignore = "played by `make test-long`"]
fn rights_that_are_taken_half_way_are_told() {
    if !possible() {
        return;
    }
    let scene = Scene::new("rights", "");
    scene.site.inventory("sudo.yaml", "user: operator, become: true");
    let (child, since) = (scene.midway("sudo.yaml"), Timestamp::now());
    // Whoever is root already stays it, until the copy ends.
    scene.site.on("m2", "mv /etc/sudoers.d/lab /etc/sudoers.lab; pkill -x tar");
    let failed = scene.failed(child, since, "m2", &["file.write_tree"]);
    let again = scene.site.haengine(&["resume", &failed.run, "--json"]);
    said(&again, &["m2", "ssh.sudo", "sudo"]);
    scene.site.on("m2", "mv /etc/sudoers.lab /etc/sudoers.d/lab");
    scene.mended(&failed, "sudo.yaml");
}
