//! `retry`, `wait_until` and `sleep`: time that passes while hosts do their own work.

use std::time::{Duration, Instant};

use haengine_kernel::arguments::parse_duration;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::Event;
use haengine_kernel::signature::{nearest, quoted};
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::bridge::wait;
use crate::closure::call_in;
use crate::frame::{Common, Frame};
use crate::raise::{is_final, raise};

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// `retry(#{ times: 3, every: "1s" }, || …)`: calls the closure until it raises no error; the last error goes on.
pub(crate) fn retry(context: NativeCallContext, options: Map, body: FnPtr) -> RhaiResult<Dynamic> {
    let frame = Frame::of(&context)?;
    let common = frame.common(&context)?;
    known_options("retry", &options, &["times", "every"])?;
    let times = options.get("times").map_or(Ok(3), Dynamic::as_int).unwrap_or(0);
    if times < 1 {
        return Err(usage("option `times` of `retry` must be an integer above 0"));
    }
    let every = time_span("retry", &options, "every", Duration::from_secs(1))?;
    let tried = Frame { is_tried: true, ..(*frame).clone() };
    for _ in 1..times {
        match call_in(&context, &body, tried.clone(), Vec::new()) {
            Err(error) if !is_final(&error) => pause(common, every)?,
            done => return done,
        }
    }
    call_in(&context, &body, (*frame).clone(), Vec::new())
}

/// `wait_until(what, #{ timeout: "60s", every: "500ms" }, || …)`: until the closure gives `true`. A plan does not wait.
pub(crate) fn wait_until(context: NativeCallContext, what: &str, options: Map, body: FnPtr) -> RhaiResult<()> {
    let frame = Frame::of(&context)?;
    let common = frame.common(&context)?;
    known_options("wait_until", &options, &["timeout", "every"])?;
    let timeout = time_span("wait_until", &options, "timeout", Duration::from_secs(60))?;
    let every = time_span("wait_until", &options, "every", Duration::from_millis(500))?;
    if frame.pretends() {
        return Ok(());
    }
    common.run.events().send(Event::Waiting { what: what.to_owned() });
    let _waiting = common.run.hosts().waits().begin();
    let started = Instant::now();
    loop {
        let answer = call_in(&context, &body, (*frame).clone(), Vec::new())?;
        match answer.as_bool() {
            Ok(true) => return Ok(()),
            Ok(false) if started.elapsed() < timeout => pause(common, every)?,
            Ok(false) => return Err(too_late(what, timeout)),
            Err(_) => return Err(usage(&format!("the closure of `wait_until` must give true or false for `{what}`"))),
        }
    }
}

/// `sleep(span)`: ends early when the run is interrupted. A plan does not wait.
pub(crate) fn sleep(context: NativeCallContext, span: Dynamic) -> RhaiResult<()> {
    let frame = Frame::of(&context)?;
    let common = frame.common(&context)?;
    let options = Map::from([("span".into(), span)]);
    let span = time_span("sleep", &options, "span", Duration::ZERO)?;
    if frame.pretends() { Ok(()) } else { pause(common, span) }
}

fn pause(common: &Common, span: Duration) -> RhaiResult<()> {
    let _waiting = common.run.hosts().waits().begin();
    let cancel = common.run.cancel();
    let interrupted = wait(common, async {
        tokio::select! {
            () = cancel.cancelled() => true,
            () = tokio::time::sleep(span) => false,
        }
    });
    if interrupted { Err(raise(Error::cancelled())) } else { Ok(()) }
}

fn known_options(function: &str, options: &Map, known: &[&str]) -> RhaiResult<()> {
    let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let error = Error::new(Kind::Usage, "call.unknown_option", format!("`{function}` has no option `{unknown}`"));
    Err(raise(match nearest(unknown, known.iter().copied()) {
        Some(near) => error.hint(format!("write `{near}`")),
        None => error.hint(format!("use one of {}", quoted(known))),
    }))
}

fn time_span(function: &str, options: &Map, name: &str, default: Duration) -> RhaiResult<Duration> {
    let Some(value) = options.get(name) else { return Ok(default) };
    let span = match (value.as_int(), value.as_float()) {
        (Ok(seconds), _) => u64::try_from(seconds).ok().map(Duration::from_secs),
        (_, Ok(seconds)) => Duration::try_from_secs_f64(seconds).ok(),
        _ => value.clone().into_string().ok().and_then(|text| parse_duration(&text)),
    };
    span.ok_or_else(|| usage(&format!("`{name}` of `{function}` must be seconds or a time span such as \"30s\"")))
}

fn too_late(what: &str, timeout: Duration) -> Box<EvalAltResult> {
    let message = format!("waited {} s for {what}, in vain", timeout.as_secs_f64());
    raise(Error::new(Kind::Failed, "wait.timeout", message).hint("look at the host, or give `timeout` a longer span"))
}

fn usage(message: &str) -> Box<EvalAltResult> {
    raise(Error::new(Kind::Usage, "call.type", message))
}
