//! A secret that a run was given is in nothing that it tells or writes down, whoever says it again.

use crate::Site;

const RECIPE: &str = r#"fn params() { #{ key: param::secret("What opens it.") } }

fn main(p) {
    step("open", || {
        log("it said hunter2-long");
        warn("still hunter2-long");
        fail("no hunter2-long", "give another than hunter2-long");
    });
}
"#;

#[test]
fn what_was_given_as_a_secret_is_not_said_again() {
    let site = Site::new();
    site.write("key", "hunter2-long\n");
    site.write("open.rhai", RECIPE);
    for words in [&["run", "open", "key=file:key"][..], &["plan", "open", "key=file:key", "--json"]] {
        let given = site.run(words);
        assert_eq!(given.code, 2, "{}", given.all());
        assert!(given.all().contains("‹secret›") && !given.all().contains("hunter2-long"), "{}", given.all());
    }
}
