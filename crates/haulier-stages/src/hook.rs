//! Runs hooks: noted before they start, and after they end.

use std::path::Path;
use std::process::Stdio;

use haulier_core::plan::{Hook, HookAct, Plan};
use haulier_core::stage::{Fact, HookEvent, Standing};
use haulier_core::{RunId, StageName};
use tokio::process::Command;

use crate::{Desk, Hands, Trouble, Wrote};

/// How much of what a hook said last is kept.
const SAID: usize = 300;

/// How the hooks of a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hooked {
    /// All ended well.
    Done,
    /// One did not, and why.
    Failed(String),
    /// Somebody else added something: look again.
    Moved,
}

/// Runs those of these hooks that have not ended well in this attempt of their stage.
pub(crate) async fn run_all(
    desk: &Desk,
    hands: &dyn Hands,
    plan: &Plan,
    folder: &Path,
    stage: &StageName,
    names: &[String],
    standing: &mut Standing,
) -> Result<Hooked, Trouble> {
    for name in names {
        let Some(hook) = plan.stages.hook(name) else { continue };
        while standing.hook(stage, name).ended != Some(HookEvent::Done) {
            let at = standing.hook(stage, name);
            if at.ended == Some(HookEvent::Failed) && at.began > hook.retries {
                return Ok(Hooked::Failed(format!("hook `{name}` failed")));
            }
            let fact = |event| Fact::Hook(stage.clone(), name.clone(), event);
            if desk.write(standing, vec![(fact(HookEvent::Began), None)]).await? == Wrote::Moved {
                return Ok(Hooked::Moved);
            }
            let facts = facts(&desk.run, plan, stage, name, standing);
            hands.tell(&format!("hook `{name}` of stage `{stage}` begins"));
            let ended = act(hook, hands, folder, facts).await;
            let (event, note) = match &ended {
                Ok(()) => (HookEvent::Done, None),
                Err(why) => (HookEvent::Failed, Some(why.clone())),
            };
            // The hook ran, whoever wrote meanwhile: that is noted in any case.
            while desk.write(standing, vec![(fact(event), note.clone())]).await? == Wrote::Moved {}
            if let Err(why) = ended
                && standing.hook(stage, name).began > hook.retries
            {
                return Ok(Hooked::Failed(format!("hook `{name}`: {why}")));
            }
        }
    }
    Ok(Hooked::Done)
}

/// What a hook is told.
fn facts(
    run: &RunId,
    plan: &Plan,
    stage: &StageName,
    hook: &str,
    standing: &Standing,
) -> Vec<(&'static str, String)> {
    let kind = standing.kind.map(|kind| kind.to_string()).unwrap_or_default();
    vec![
        ("HAULIER_RUN", run.to_string()),
        ("HAULIER_PLAN", plan.name.clone()),
        ("HAULIER_KIND", kind),
        ("HAULIER_REVISION", standing.revision.to_string()),
        ("HAULIER_STAGE", stage.to_string()),
        ("HAULIER_HOOK", hook.to_owned()),
        ("HAULIER_ATTEMPT", attempt(stage, hook, standing).to_string()),
    ]
}

/// Grows with every start of the hook in this run, over all attempts of its stage.
fn attempt(stage: &StageName, hook: &str, standing: &Standing) -> u32 {
    let of = standing.hooks.iter().filter(|((of, _, name), _)| of == stage && name == hook);
    of.map(|(_, at)| at.began).sum()
}

async fn act(
    hook: &Hook,
    hands: &dyn Hands,
    folder: &Path,
    facts: Vec<(&'static str, String)>,
) -> Result<(), String> {
    let doing = async {
        match &hook.act {
            HookAct::Exec(words) => exec(words, folder, facts).await.and_then(|ended| match ended {
                Ended { code: Some(0), .. } => Ok(()),
                Ended { code: Some(code), said } => Err(format!("it ended with {code}: {said}")),
                Ended { code: None, said } => Err(format!("it was killed: {said}")),
            }),
            HookAct::Webhook(url) => {
                let body: serde_json::Map<String, serde_json::Value> = facts
                    .into_iter()
                    .map(|(name, value)| (name.trim_start_matches("HAULIER_").to_lowercase(), value.into()))
                    .collect();
                hands.call(url, serde_json::Value::Object(body).to_string()).await
            }
        }
    };
    match tokio::time::timeout(hook.timeout, doing).await {
        Ok(ended) => ended,
        Err(_) => Err(format!("it took longer than its time-out of {} s", hook.timeout.as_secs())),
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The last of what it said on stderr.
    pub said: String,
}

/// Runs a program beside the plan, with these variables. Dropping the call ends it.
pub async fn exec(
    words: &[String],
    folder: &Path,
    variables: Vec<(&'static str, String)>,
) -> Result<Ended, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("it names no program".to_owned());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let program = if program.contains('/') {
        std::path::absolute(folder.join(program)).map_err(|error| error.to_string())?
    } else {
        program.into()
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(variables).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| format!("it cannot be started: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or_default();
    Ok(Ended { code: output.status.code(), said: last.chars().take(SAID).collect() })
}
