//! Secrets that are known by how they look, or by the name before them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::quote::quoted_length;
use crate::secret::REDACTED;

/// The line without its secrets. `of_command`: a name and a blank alone make none.
pub(super) fn hide(line: &str, of_command: bool) -> String {
    let mut shown = Cow::Borrowed(line);
    for form in FORMS.iter() {
        if let Cow::Owned(hidden) = form.hide(&shown) {
            shown = Cow::Owned(hidden);
        }
    }
    named(&shown, of_command)
}

/// One way in which a secret looks.
struct Form {
    /// Has the groups `before` and `after`, which stay, where something is around the secret.
    pattern: Regex,
    word: &'static str,
}

impl Form {
    #[allow(clippy::unwrap_used, reason = "the patterns are constants, and a test uses each")]
    fn new(pattern: &str, word: &'static str) -> Form {
        Form { pattern: Regex::new(pattern).unwrap(), word }
    }

    fn hide<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let around =
            |found: &Captures<'_>, name| found.name(name).map_or(String::new(), |text| text.as_str().to_owned());
        self.pattern.replace_all(line, |found: &Captures<'_>| {
            format!("{}{}{}", around(found, "before"), self.word, around(found, "after"))
        })
    }
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    vec![
        Form::new(r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----.*?-----END [A-Z ]*-----", "‹private key›"),
        // One that is cut off; a line that only speaks of a key has no content.
        Form::new(r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----(?:\\n|\\r|\s)*[A-Za-z0-9+/=\\]{24,}.*", "‹private key›"),
        Form::new(r"(?i)(?P<before>\bbearer\s+)[\w.~+/=-]{6,}", REDACTED),
        Form::new(r#"(?i)(?P<before>\bauthorization["']?\s*[:=]\s*["']?\s*basic\s+)[^\s"']+"#, REDACTED),
        // The token with which a kubelet or kubeadm introduces itself.
        Form::new(r"(?P<before>^|[^a-z0-9.])[a-z0-9]{6}\.[a-z0-9]{16}(?P<after>[^a-z0-9.]|$)", REDACTED),
        Form::new(r"\beyJ[\w-]{10,}\.[\w-]{4,}\.[\w-]*", REDACTED),
        Form::new(r"\bAGE-SECRET-KEY-1[A-Z0-9]+", REDACTED),
        Form::new(r"(?P<before>[a-z]://[^/\s:@]+:)[^/\s@]+(?P<after>@)", REDACTED),
        // `TOKEN,USER,UID,"GROUPS"`: the API server's static tokens and passwords.
        Form::new(
            r"^(?P<before>\s*)(?:[A-Za-z0-9]{16,}|[a-f0-9-]{32,})(?P<after>,[^,\s]+,[^,\s]+(?:,.*)?\s*)$",
            REDACTED,
        ),
        Form::new(r#"^(?P<before>\s*)[^,\s"'#]+(?P<after>,[^,\s]+,[^,\s]+,["']?system:.*\s*)$"#, REDACTED),
        // A registry's credentials, as containerd and Docker have them.
        Form::new(r#"(?P<before>(?:^|[^\w])auth["']?\s*[:=]\s*["']?)[A-Za-z0-9+/=]{8,}"#, REDACTED),
    ]
});

/// Names before a secret; of those that begin alike the longest first.
#[allow(clippy::unwrap_used, reason = "the pattern is a constant, and a test uses it")]
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "(?i)passwords?|passwd|passphrase|tokens?|secret_?key|access_?key|secrets?|key-data|auth_pass|private_key|\
         api[_-]?key|dockerconfigjson",
    )
    .unwrap()
});

/// `name: value`, `name=value` and `name value`, where the name's end says that the value is secret.
fn named(line: &str, of_command: bool) -> String {
    let (mut shown, mut done) = (String::new(), 0);
    for name in NAMES.find_iter(line).filter_map(|name| Value::after(line, name.start(), name.end(), of_command)) {
        if name.start >= done {
            shown.push_str(&line[done..name.start]);
            shown.push_str(REDACTED);
            done = name.end;
        }
    }
    shown.push_str(&line[done..]);
    shown
}

/// Where in a line a secret stands.
struct Value {
    start: usize,
    end: usize,
}

impl Value {
    /// The value of the name from `begin` to `end`. A path or nothing is no secret: `--token-auth-file=/etc/…`, `tokens:`.
    fn after(line: &str, begin: usize, end: usize, of_command: bool) -> Option<Value> {
        let rest = &line[end..];
        let quote = rest.starts_with(['"', '\'']) as usize;
        let separator: String = rest[quote..].chars().take_while(|c| ": =\t".contains(*c)).collect();
        let start = end + quote + separator.len();
        let value = line[start..].trim_end();
        if separator.is_empty() || value.is_empty() || value.starts_with('/') || is_hidden(value) {
            return None;
        }
        let is_flag = line[..begin].rsplit(char::is_whitespace).next().is_some_and(|word| word.starts_with('-'));
        if of_command && !is_flag && !separator.contains([':', '=']) {
            return None;
        }
        let is_first = line[..begin].trim_start().chars().all(|c| c.is_alphanumeric() || "_-.\"'".contains(c));
        let length = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted_length(value, quote).unwrap_or(value.len()),
            // Only a line of its own has a value with blanks and no quotes.
            _ if separator.contains([':', '=']) && is_first && !is_flag => value.len(),
            _ if separator.contains(':') => value.len(),
            _ => value.find(char::is_whitespace).unwrap_or(value.len()),
        };
        Some(Value { start, end: start + length })
    }
}

/// Whether a word stands there already for what it was.
fn is_hidden(value: &str) -> bool {
    value.trim_start_matches(['"', '\'']).starts_with("‹secret")
}

#[cfg(test)]
mod tests {
    fn hide(line: &str) -> String {
        super::hide(line, false)
    }

    #[test]
    fn values_of_telling_names_are_hidden() {
        for (line, shown) in [
            ("    token: abc\n", "    token: ‹secret›\n"),
            ("PASSWORD=a b\n", "PASSWORD=‹secret›\n"),
            ("  auth_pass 1111\n", "  auth_pass ‹secret›\n"),
            ("{\"token\":\"a\\\"b\",\"password\":\"c\",\"x\":1}", "{\"token\":‹secret›,\"password\":‹secret›,\"x\":1}"),
            (
                "--token-auth-file=/etc/t --token=abc --password def -x",
                "--token-auth-file=/etc/t --token=‹secret› --password ‹secret› -x",
            ),
            ("token=abc password=def", "token=‹secret›"),
            ("run TOKEN=abc tool --v", "run TOKEN=‹secret› tool --v"),
            ("client-key-data: LS0t\n", "client-key-data: ‹secret›\n"),
        ] {
            assert_eq!(hide(line), shown);
        }
    }

    #[test]
    fn a_word_of_a_command_is_no_name() {
        for (line, shown) in [
            ("kubeadm token delete abc", "kubeadm token delete abc"),
            ("kubectl delete secret demo", "kubectl delete secret demo"),
            ("kubeadm token delete abcdef.0123456789abcdef", "kubeadm token delete ‹secret›"),
            ("tool --token abc x", "tool --token ‹secret› x"),
            ("run TOKEN=abc tool", "run TOKEN=‹secret› tool"),
        ] {
            assert_eq!(super::hide(line, true), shown);
        }
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        for (line, shown) in [
            (
                "curl -H 'Authorization: Bearer abc.def-123' https://a",
                "curl -H 'Authorization: Bearer ‹secret›' https://a",
            ),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ‹secret›"),
            ("kubeadm join 10.0.0.1:6443 abcdef.0123456789abcdef x", "kubeadm join 10.0.0.1:6443 ‹secret› x"),
            (
                "c47ffb939f5ca36231d9e3121a252940,kubelet-bootstrap,10001,\"system:node\"\n",
                "‹secret›,kubelet-bootstrap,10001,\"system:node\"\n",
            ),
            ("short,admin,1,\"system:masters\"", "‹secret›,admin,1,\"system:masters\""),
            ("  auth = \"dXNlcjpwYXNz\"\n", "  auth = \"‹secret›\"\n"),
            ("{\"auths\":{\"r\":{\"auth\":\"dXNlcjpwYXNz\"}}}", "{\"auths\":{\"r\":{\"auth\":\"‹secret›\"}}}"),
            ("x eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2ln y", "x ‹secret› y"),
            ("# AGE-SECRET-KEY-1QQQQ", "# ‹secret›"),
            ("http://me:pw@proxy:3128/", "http://me:‹secret›@proxy:3128/"),
            ("x=-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "x=‹private key›"),
        ] {
            assert_eq!(hide(line), shown);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "tokens:",
            "--token-auth-file=/etc/kubernetes/token.csv",
            "secretName: tls",
            "auth: none",
            "192.168.2.11,192.168.2.12,worker3",
            "https://192.168.2.11:2379,https://192.168.2.12:2379,https://192.168.2.13:2379",
            "master1.example.com,master2.example.com,master3.example.com",
            "https://192.168.2.11:6443/healthz",
            "quay.io/coreos/etcd:v3.5.9",
        ] {
            assert_eq!(hide(line), line);
        }
    }
}
