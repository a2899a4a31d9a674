//! Compares what was read of both sides, and makes a result of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haulier_core::SourceKey;
use haulier_sides::Agreed;
use haulier_validator::diff::{DiffError, Shape, merge};
use haulier_validator::extract::{ExtractError, ExtractLines, Manifest};
use haulier_validator::neutral::Side;
use haulier_validator::report::summary_json;

use super::bench::{Bench, BothRead};
use super::judge::{Explanations, Files, Judge};
use super::tell::Shown;
use crate::command::validate::results::{Basis, Stored, VERSION};
use crate::error::CliError;
use crate::sides;
use crate::ui::{self, grouped};

impl Bench<'_> {
    /// Sorts what was read, compares it, and stores the result.
    pub(super) async fn judge(
        &self,
        agreed: &Arc<Agreed>,
        basis: Basis,
        read: BothRead,
        mut files: Files,
    ) -> Result<(Shown, Files), CliError> {
        let entity = agreed.entity.name.to_string();
        let BothRead { when, writers: [left, right], source: from, target: to, known } = read;
        let (mut explained, open) = self.unmapped(agreed, &from, &mut files).await?;
        let shape = Shape {
            entity: entity.clone(),
            a: Side::Source.as_str().to_owned(),
            b: Side::Target.as_str().to_owned(),
            columns: agreed.columns.all().iter().map(|column| column.name.clone()).collect(),
            key: agreed.columns.key(),
            tenant: agreed.tenant,
            escaped: true,
        };
        let meter = Arc::clone(&self.meter);
        // The thread of the comparison asks, when the first difference comes; this task answers.
        let (ask, asked) = tokio::sync::oneshot::channel::<()>();
        let (answer, answered) = std::sync::mpsc::channel::<Result<Explanations, CliError>>();
        let comparing = tokio::task::spawn_blocking(move || {
            let lines = std::thread::scope(|scope| {
                let other = scope.spawn(|| right.into_lines());
                (left.into_lines(), other.join())
            });
            let (mut a, mut b) = match lines {
                (a, Ok(b)) => (a?, b?),
                (_, Err(_)) => return Err(CliError::bug(anyhow::anyhow!("a sort ended by itself"))),
            };
            let (summary, told) = {
                let mut judge = Judge::new(&mut files, known, move || {
                    // Nobody waits for a task that has gone.
                    let _gone = ask.send(());
                    answered.recv().map_err(CliError::bug)?
                });
                let summary = merge(&shape, &mut a, &mut b, &mut judge, &meter);
                if let Some(failed) = judge.failed.take() {
                    return Err(failed);
                }
                let summary = match summary {
                    Ok(summary) => summary,
                    Err(DiffError::Extract(error)) => return Err(error.into()),
                    Err(error) => return Err(error.into()),
                };
                (summary, (judge.explained, judge.unexplained, judge.tenants))
            };
            let finish = |lines: ExtractLines| match lines.finish(when) {
                Ok(manifest) => Ok(Some(manifest)),
                // That keys come twice is in the result; such a file is no evidence.
                Err(ExtractError::Doubled { .. }) => Ok(None),
                Err(error) => Err(error),
            };
            let manifests = std::thread::scope(|scope| {
                let other = scope.spawn(|| finish(b));
                (finish(a), other.join())
            });
            let (source, Ok(target)) = manifests else {
                return Err(CliError::bug(anyhow::anyhow!("an extract ended by itself")));
            };
            let manifests = [source, target];
            Ok((summary, told, manifests, shape, files))
        });
        if asked.await.is_ok() {
            // Nobody hears it when the comparison ended meanwhile.
            let _gone = answer.send(self.explanations(agreed).await);
        }
        let (summary, told, manifests, shape, files) = comparing.await.map_err(CliError::bug)??;
        let (words, unexplained, tenants) = told;
        for (word, count) in words {
            *explained.entry(word).or_default() += count;
        }
        let unreadable = open + to.problem_count;
        for problem in to.problems.iter().take(20) {
            ui::note(format!("the target's {problem}"));
        }
        if to.twice > 0 {
            ui::note(format!(
                "{entity}: the list moved while it was read: {} records came twice and count once",
                grouped(to.twice)
            ));
        }
        let mut evidence = BTreeMap::new();
        for (side, manifest) in ["source", "target"].into_iter().zip(manifests) {
            if let Some(Manifest { sha256, .. }) = manifest? {
                evidence.insert(format!("{side}.sha256"), sha256);
                let file = self.folder.join(side).join(format!("{entity}.csv"));
                evidence.insert(format!("{side}.file"), file.display().to_string());
            }
        }
        let equal = unexplained.sum() == 0 && !summary.is_doubled() && unreadable == 0;
        let figures = summary_json(&shape, &summary);
        let stored = Stored {
            haulier_result: VERSION,
            level: "diff".to_owned(),
            entity: entity.clone(),
            tenants: self.names.clone(),
            when: when.to_string(),
            equal,
            figures: figures.clone(),
            explained: explained.clone(),
            evidence,
            basis,
        };
        stored.store(&self.sides.state)?;
        Ok((Shown { entity, equal, figures, unexplained, explained, unreadable, tenants, summary }, files))
    }

    /// Rows of the source that cannot be mapped: explained where the ledger says so of them.
    async fn unmapped(
        &self,
        agreed: &Agreed,
        read: &haulier_sides::Read,
        files: &mut Files,
    ) -> Result<(BTreeMap<String, u64>, u64), CliError> {
        let mut explained = BTreeMap::new();
        if read.problem_count == 0 {
            return Ok((explained, 0));
        }
        let standings = match &self.run {
            Some(run) => sides::standings(&**self.ledger, run, &agreed.entity.name, &self.keys).await?,
            None => std::collections::HashMap::new(),
        };
        let entity = agreed.entity.name.as_str();
        let mut open = read.problem_count;
        for problem in &read.problems {
            match standings.get(&SourceKey::from_canonical(&problem.id)) {
                Some(standing) => {
                    *explained.entry(standing.word.to_owned()).or_default() += 1;
                    open -= 1;
                    files.explained([entity, "", "missing", &problem.id, standing.word, &standing.reason])?;
                }
                None => ui::note(format!("the source's {problem}")),
            }
        }
        Ok((explained, open))
    }
}
