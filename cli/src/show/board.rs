//! Several tenants side by side: a row for each step, a column for each tenant; narrower, a line for each tenant.

use tenant::{PauseView, QueueView, StepState, StepView, TenantView};

use super::paint::Paint;
use super::table::pad;
use super::{duration, elapsed, instant};

/// A board no wider than a terminal.
#[must_use]
pub fn board(tenants: &[TenantView], width: usize, paint: Paint) -> Vec<String> {
    let columns = columns(tenants, paint);
    if columns.iter().map(|column| column.0 + 2).sum::<usize>() <= width + 2 {
        let height = columns.first().map_or(0, |column| column.1.len());
        let line = |row: usize| {
            let cells: Vec<String> =
                columns.iter().map(|(width, cells)| pad(&cells[row], *width)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        let remarks = tenants.iter().filter_map(|tenant| remark(tenant, width, paint));
        return (0..height).map(line).chain(remarks).collect();
    }
    lines(tenants, width, paint)
}

/// A line for each tenant.
#[must_use]
pub fn lines(tenants: &[TenantView], width: usize, paint: Paint) -> Vec<String> {
    let longest = tenants.iter().map(|tenant| tenant.name.len()).max().unwrap_or(0);
    tenants
        .iter()
        .map(|tenant| {
            let signs: String = tenant.steps.iter().map(|step| paint.sign(step.state)).collect();
            let at = current(tenant).map(label).unwrap_or_default();
            let line = format!(
                "{}  {signs}  {} {} {at}",
                pad(&tenant.name, longest),
                pad(&paint.phase(tenant.phase), 11),
                pad(&duration(age(tenant)), 7)
            );
            console::truncate_str(&line, width, "…").into_owned()
        })
        .collect()
}

/// The column of step names, then one for each tenant; each with its width.
fn columns(tenants: &[TenantView], paint: Paint) -> Vec<(usize, Vec<String>)> {
    let rows = rows(tenants);
    let mut names: Vec<String> = vec![String::new()];
    names.extend(rows.iter().map(|row| match &row.1 {
        Some(part) => format!("  {part}"),
        None => row.0.clone(),
    }));
    names.extend(["account", "phase", "time"].map(|name| paint.dim(name)));
    let mut columns = vec![names];
    let platforms = tenants.iter().any(|tenant| tenant.platform != tenants[0].platform);
    for tenant in tenants {
        let cell = |row: &Row| {
            let step = tenant.steps.iter().find(|step| step.step == row.0 && step.part == row.1);
            step.map(|step| cell(step, tenant, paint)).unwrap_or_default()
        };
        // What all names end in says nothing.
        let name = if platforms {
            &tenant.name
        } else {
            tenant.name.rsplit_once('.').unwrap_or((&tenant.name, "")).0
        };
        let mut cells = vec![paint.bold(name)];
        cells.extend(rows.iter().map(cell));
        cells.push(tenant.account.as_ref().map(ToString::to_string).unwrap_or_default());
        cells.push(paint.phase(tenant.phase));
        cells.push(duration(age(tenant)));
        columns.push(cells);
    }
    columns
        .into_iter()
        .map(|cells| {
            (cells.iter().map(|cell| console::measure_text_width(cell)).max().unwrap_or(0), cells)
        })
        .collect()
}

fn cell(step: &StepView, tenant: &TenantView, paint: Paint) -> String {
    let sign = paint.sign(step.state);
    match step.since {
        Some(since) if step.state != StepState::Pending => {
            format!("{sign} {}", elapsed(since, step.until, tenant.as_of))
        }
        _ => sign,
    }
}

/// A step and its part; a step of several parts has a row of its own above them.
type Row = (String, Option<String>);

/// All steps of all tenants, each once, in the order of the runs.
fn rows(tenants: &[TenantView]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for tenant in tenants {
        let mut after = 0;
        for step in &tenant.steps {
            let above = step.part.as_ref().map(|_| (step.step.clone(), None));
            for row in above.into_iter().chain([(step.step.clone(), step.part.clone())]) {
                if let Some(at) = rows.iter().position(|known| *known == row) {
                    after = after.max(at + 1);
                } else {
                    rows.insert(after, row);
                    after += 1;
                }
            }
        }
    }
    rows
}

/// A step's name, with the part that it works on.
#[must_use]
pub fn label(step: &StepView) -> String {
    match &step.part {
        Some(part) => format!("{} {part}", step.step),
        None => step.step.clone(),
    }
}

/// How long the run has taken, or took.
#[must_use]
pub fn age(tenant: &TenantView) -> jiff::SignedDuration {
    let first = tenant.steps.iter().filter_map(|step| step.since).min();
    let began =
        if tenant.run <= 1 { tenant.created_on } else { first.unwrap_or(tenant.created_on) };
    let last = tenant.steps.iter().filter_map(|step| step.until).max();
    let ended = if tenant.is_settled() { last.unwrap_or(tenant.as_of) } else { tenant.as_of };
    ended.duration_since(began)
}

fn current(tenant: &TenantView) -> Option<&StepView> {
    let busy = [StepState::Failed, StepState::Running, StepState::Waiting];
    busy.iter().find_map(|state| tenant.steps.iter().find(|step| step.state == *state))
}

/// Where a tenant stands in the queue for new accounts.
#[must_use]
pub fn place(queue: &QueueView, now: jiff::Timestamp) -> String {
    let left = duration(queue.starts_at.duration_since(now));
    format!("number {} in the queue for new accounts, due in {left}", queue.position)
}

/// Why a tenant that is due does not begin.
#[must_use]
pub fn pause(pause: &PauseView) -> String {
    format!("its platform is paused since {}: {}", instant(pause.since), pause.comment)
}

fn remark(tenant: &TenantView, width: usize, paint: Paint) -> Option<String> {
    if let Some(paused) = &tenant.paused {
        let said = paint.dim(&format!("{}: {}", tenant.name, pause(paused)));
        return Some(console::truncate_str(&said, width, "…").into_owned());
    }
    let said = match (&tenant.failed, &tenant.waiting, &tenant.queue) {
        (Some(failed), ..) => paint.bad(&format!(
            "{}: {} at {}: {}",
            tenant.name, failed.name, failed.step, failed.remark
        )),
        (None, Some(waiting), _) => {
            paint.dim(&format!("{}: waits for {}", tenant.name, waiting.r#for))
        }
        (None, None, Some(queue)) => {
            paint.dim(&format!("{}: {}", tenant.name, place(queue, tenant.as_of)))
        }
        (None, None, None) => {
            let step = tenant.steps.iter().find(|step| step.state == StepState::Waiting)?;
            paint.dim(&format!("{}: waits for {}", tenant.name, step.remark.as_ref()?))
        }
    };
    Some(console::truncate_str(&said, width, "…").into_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A tenant whose steps stand as given: name, part, state, seconds since the beginning, seconds taken.
    pub fn tenant(
        name: &str,
        phase: &str,
        steps: &[(&str, Option<&str>, &str, i64, i64)],
    ) -> TenantView {
        let at = |seconds: i64| {
            jiff::Timestamp::from_second(1_767_225_600 + seconds).expect("a time").to_string()
        };
        let steps: Vec<_> = steps
            .iter()
            .map(|(step, part, state, since, taken)| {
                let mut view = json!({"step": step, "part": part, "state": state, "changes": []});
                if *state != "pending" {
                    view["since"] = at(*since).into();
                }
                if ["done", "failed"].contains(state) {
                    view["until"] = at(since + taken).into();
                }
                if *state == "waiting" {
                    view["remark"] = "the account".into();
                }
                view
            })
            .collect();
        serde_json::from_value(json!({
            "name": format!("{name}.aws"), "workspace": "w", "project": "p", "platform": "aws",
            "id": "00000000-0000-0000-0000-000000000000", "phase": phase, "landingZone": "production",
            "spec": {"landingZone": "production"}, "generation": 1,
            "observedGeneration": i32::from(phase == "Ready"), "run": 1, "running": phase == "Replicating",
            "steps": steps, "createdOn": at(0), "asOf": at(90)
        }))
        .expect("a tenant")
    }

    fn two() -> [TenantView; 2] {
        [
            tenant(
                "a.b",
                "Replicating",
                &[
                    ("admit", None, "done", 1, 1),
                    ("create-account", None, "waiting", 2, 0),
                    ("complete", None, "pending", 0, 0),
                ],
            ),
            tenant(
                "c.d",
                "Ready",
                &[
                    ("admit", None, "done", 1, 2),
                    ("create-account", None, "done", 3, 40),
                    ("roll-out-stacks", Some("audit"), "done", 43, 17),
                    ("complete", None, "done", 60, 0),
                ],
            ),
        ]
    }

    #[test]
    fn tenants_stand_side_by_side_where_there_is_room() {
        let lines = board(&two(), 100, Paint::still(false));
        let expected = "
                       a.b           c.d
admit                  ✓ 1s          ✓ 2s
create-account         ◷ 1m 28s      ✓ 40s
roll-out-stacks
  audit                              ✓ 17s
complete               ·             ✓ 0s
account
phase                  Replicating   Ready
time                   1m 30s        1m 0s
a.b.aws: waits for the account";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&lines.join("\n")), squeezed(expected));
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }

    #[test]
    fn a_narrow_terminal_gets_a_line_for_each_tenant() {
        let lines = board(&two(), 34, Paint::still(false));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("a.b.aws  ✓◷·  Replicating 1m 30s"), "{}", lines[0]);
        assert!(lines.iter().all(|line| console::measure_text_width(line) <= 34));
    }

    #[test]
    fn without_colours_there_is_no_control_character() {
        let text = board(&two(), 100, Paint::still(false)).concat();
        assert!(!text.contains('\u{1b}'));
    }
}
