//! All that is known about one tenant, its history, and what a plan says.

use std::fmt::Write as _;

use tenant::{
    ConfigurationPlanView, Grant, HistoryView, PlanState, PlanView, RollOutRules, StepView,
    TenantView,
};

use super::board::{age, label, pause, place};
use super::paint::{Paint, word};
use super::table::{pad, table};
use super::{duration, elapsed, instant};

/// All that is known about a tenant.
#[must_use]
pub fn describe(tenant: &TenantView, paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(&tenant.name), paint.phase(tenant.phase));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {}{value}", pad(&paint.dim(name), 14));
    };
    line("id", tenant.id.to_string());
    line("landing zone", tenant.landing_zone.clone());
    if let Some(account) = &tenant.account {
        line("account", account.to_string());
    }
    if let Some(names) = &tenant.names {
        line("account name", names.account_name.clone());
        line("e-mail", names.email.clone());
        if let Some(alias) = &names.alias {
            line("alias", alias.clone());
        }
    }
    for (role, contact) in &tenant.spec.contacts {
        line("contact", format!("{role}: {}", contact.email()));
    }
    for (key, value) in &tenant.spec.effective_tags() {
        line("tag", format!("{key}={value}"));
    }
    for grant in &tenant.spec.access {
        line("access", access(grant));
    }
    if let Some(sign_in) = &tenant.sign_in {
        line("sign in", sign_in.url.clone());
        if let Some(console) = &sign_in.console_url {
            line("console", console.clone());
        }
    }
    line("created", instant(tenant.created_on));
    if let Some(removal) = &tenant.removal {
        let stage = removal.stage.as_str();
        line("deletion", format!("{stage}, asked for by {}", removal.requested_by));
        if let Some(by) = &removal.approved_by {
            let comment = removal.comment.as_ref().map(|said| format!(": {said}"));
            line("approved by", format!("{by}{}", comment.unwrap_or_default()));
        }
    }
    if let Some(at) = tenant.marked_for_deletion_on {
        line("marked", instant(at));
    }
    if let Some(at) = tenant.deleted_on {
        line("deleted", instant(at));
    }
    line(
        "generation",
        format!("{} (last run saw {})", tenant.generation, tenant.observed_generation),
    );
    let under_way = if tenant.running { ", under way" } else { "" };
    line("run", format!("{}{under_way}, {}", tenant.run, duration(age(tenant))));
    if let Some(next_run) = tenant.next_run {
        line("next run", instant(next_run));
    }
    if let Some(paused) = &tenant.paused {
        line("paused", paint.bad(&pause(paused)));
    }
    if let Some(queue) = &tenant.queue {
        let due = instant(queue.starts_at);
        line("queue", format!("{} ({due})", place(queue, tenant.as_of)));
    }
    for deviation in &tenant.drift.fields {
        let is = format!(
            "{} is {} instead of {} since {}",
            deviation.what(),
            deviation.actual,
            deviation.wished,
            instant(deviation.since)
        );
        line("drifted", paint.bad(&is));
    }
    if let Some(waiting) = &tenant.waiting {
        line(
            "waits for",
            format!("{} since {} ({})", waiting.r#for, instant(waiting.since), waiting.step),
        );
        if let Some(until) = waiting.until {
            line("until", instant(until));
        }
    }
    if let Some(failed) = &tenant.failed {
        line(
            "failed",
            format!("{} at {}: {}", paint.bad(failed.name.as_str()), failed.step, failed.remark),
        );
        if let Some(remark) = &failed.system_remark {
            line("", paint.dim(remark));
        }
        match failed.retry_at {
            Some(at) => {
                line("tried again", format!("{} (attempt {})", instant(at), failed.attempts + 1));
            }
            None => line("tried again", "when the wish has changed".to_owned()),
        }
    }
    text.push('\n');
    let longest = tenant.steps.iter().map(|step| label(step).len()).max().unwrap_or(0);
    for step in &tenant.steps {
        text.push_str(&step_lines(step, longest, tenant, paint));
    }
    text
}

/// Who has a role, and until when.
fn access(grant: &Grant) -> String {
    let groups = grant.groups.iter().map(|group| format!("group {group}"));
    let who: Vec<String> = grant.users.iter().cloned().chain(groups).collect();
    let until = grant.until.map(|until| format!(" until {}", instant(until))).unwrap_or_default();
    format!("{}: {}{until}", grant.role, who.join(", "))
}

fn step_lines(step: &StepView, longest: usize, tenant: &TenantView, paint: Paint) -> String {
    let taken =
        step.since.map(|since| elapsed(since, step.until, tenant.as_of)).unwrap_or_default();
    let mut text = format!(
        "  {} {} {} {}\n",
        paint.sign(step.state),
        pad(&label(step), longest),
        pad(word(step.state), 8),
        paint.dim(&taken)
    );
    let remarks = [&step.remark, &step.system_remark];
    for line in remarks.into_iter().flatten().chain(&step.changes) {
        let _ = writeln!(text, "      {}", paint.dim(line));
    }
    for warning in &step.warnings {
        let _ = writeln!(text, "      {}", paint.warning(warning));
    }
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    trimmed.join("\n") + "\n"
}

/// A tenant's history.
#[must_use]
pub fn history(history: &HistoryView) -> String {
    let rows: Vec<Vec<String>> = history
        .entries
        .iter()
        .map(|entry| {
            vec![
                instant(entry.at),
                entry.run.to_string(),
                entry.to.as_str().to_owned(),
                entry.author.rsplit(':').next().unwrap_or_default().to_owned(),
                entry.event.clone(),
            ]
        })
        .collect();
    table(&["TIME", "RUN", "PHASE", "AUTHOR", "EVENT"], &rows)
}

/// What a plan says.
#[must_use]
pub fn plan(plan: &PlanView, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&plan.name));
    for step in
        plan.steps.iter().filter(|step| !step.changes.is_empty() || !step.warnings.is_empty())
    {
        let _ = writeln!(text, "  {}", label(step));
        for change in &step.changes {
            let _ = writeln!(text, "    {} {change}", paint.sign(tenant::StepState::Planned));
        }
        for warning in &step.warnings {
            let _ = writeln!(text, "    {}", paint.warning(warning));
        }
    }
    match (&plan.failed, plan.state, plan.changes()) {
        (Some(failed), ..) => {
            let said = format!("{} at {}: {}", failed.name, failed.step, failed.remark);
            let _ = writeln!(text, "  {}", paint.bad(&said));
        }
        (None, PlanState::Failed, _) => text.push_str("  the plan could not be made\n"),
        (None, _, 0) => {
            let _ = writeln!(text, "  {}", paint.good("no changes"));
        }
        (None, _, 1) => text.push_str("  1 change\n"),
        (None, _, many) => {
            let _ = writeln!(text, "  {many} changes");
        }
    }
    text
}

/// What the plan of a configuration says.
#[must_use]
pub fn configuration_plan(view: &ConfigurationPlanView, paint: Paint) -> String {
    let name = format!("{} {}", view.kind.as_str(), view.name);
    let mut text = format!("{}\n", paint.bold(&name));
    let touched = view.plans.iter().filter(|plan| plan.changes() > 0 || plan.failed.is_some());
    let (touched, quiet): (Vec<_>, usize) = (touched.collect(), view.plans.len());
    let quiet = quiet - touched.len();
    let whom = match (view.differs, view.concerned) {
        (false, _) => paint.good("as it is applied"),
        (true, 0) => "concerns no tenant".to_owned(),
        (true, 1) => "concerns 1 tenant".to_owned(),
        (true, many) => format!("concerns {many} tenants: {}", waves(&view.roll_out)),
    };
    let _ = writeln!(text, "  {whom}");
    for one in touched {
        for line in plan(one, paint).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    if quiet > 0 {
        let _ = writeln!(text, "  {quiet} of them would not change");
    }
    if view.left_off() > 0 {
        let _ = writeln!(text, "  {} more were not planned", view.left_off());
    }
    text
}

/// In which waves a change comes to tenants.
fn waves(rules: &RollOutRules) -> String {
    let RollOutRules { first_wave, wave_size, failure_tolerance } = rules;
    format!(
        "{first_wave} at first, then {wave_size} at a time, until more than {failure_tolerance} have failed"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_lists_its_changes_by_step() {
        let mut view: PlanView = serde_json::from_value(json!({
            "id": "00000000-0000-0000-0000-000000000000", "name": "a.b.aws", "state": "done",
            "asOf": "2026-01-01T00:00:00Z",
            "steps": [{"step": "place-account", "state": "planned", "changes": ["move the account to ou-land-workprod"]},
                      {"step": "complete", "state": "planned", "changes": []}]
        }))
        .expect("a plan");
        assert_eq!(
            plan(&view, Paint::still(false)),
            "a.b.aws\n  place-account\n    ~ move the account to ou-land-workprod\n  1 change\n"
        );
        view.steps.clear();
        assert_eq!(plan(&view, Paint::still(false)), "a.b.aws\n  no changes\n");
    }

    #[test]
    fn a_description_names_everything_and_ends_no_line_in_spaces() {
        let view = super::super::board::tests::tenant(
            "a.b",
            "Replicating",
            &[("admit", None, "done", 1, 1)],
        );
        let text = describe(&view, Paint::still(false));
        assert!(text.contains("  ✓ admit done     1s\n"), "{text}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    }
}
