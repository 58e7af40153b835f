//! Conditions, the names in `IN` lists, and locks of rows.

use crate::mutant::{Change, excerpt};
use crate::token::{Kind, Token, tokens};

/// What ends a condition that no parenthesis ends.
const ENDS: [&str; 18] = [
    "WHERE",
    "RETURNING",
    "FOR",
    "GROUP",
    "ORDER",
    "LIMIT",
    "DO",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "FROM",
    "JOIN",
    "LEFT",
    "EXECUTE",
    "UNION",
    ";",
    ",",
];

/// Takes each condition out: a conjunct becomes true, an alternative becomes false, a `WHEN` of a `CASE` never applies.
/// The condition is left in the text beside its outcome, so that PostgreSQL can still tell the types of its parameters.
#[must_use]
pub fn conditions(sql: &str) -> Vec<Change> {
    let all = tokens(sql);
    let mut changes = Vec::new();
    for (at, _) in all.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let (condition, end) = condition_after(&all, at);
        let of_a_case = all[at].is("WHEN") && end.is_some_and(|end| end.is("THEN"));
        match all[at].text {
            "WHEN" if of_a_case => take_out(sql, condition, Some("false"), &mut changes),
            "ON" if !follows_a_join(&all[..at]) => {}
            "WHERE" | "ON" | "WHEN" => {
                let is_one = parts(condition).0.len() == 1;
                take_out(sql, condition, is_one.then_some("true"), &mut changes);
            }
            // The whole of it is taken out with its constraint.
            "CHECK" => take_out(sql, &all[at + 1..at + 1 + closing(&all[at + 1..])], None, &mut changes),
            _ => {}
        }
    }
    changes
}

fn follows_a_join(before: &[Token<'_>]) -> bool {
    let mut nearest = before.iter().rev().take(4);
    nearest.find(|token| token.is("JOIN") || token.is("ON")).is_some_and(|token| token.is("JOIN"))
}

/// The tokens of the condition that begins after the keyword at `at`, and what ends it.
fn condition_after<'a, 'sql>(
    all: &'a [Token<'sql>],
    at: usize,
) -> (&'a [Token<'sql>], Option<&'a Token<'sql>>) {
    let (depth, from) = (all[at].depth, &all[at + 1..]);
    let ends = |at: usize, token: &Token<'_>| {
        let is_distinct_from = at > 0 && from[at - 1].is("DISTINCT");
        token.depth < depth
            || token.depth == depth && !is_distinct_from && ENDS.iter().any(|end| token.is(end))
    };
    let length = from.iter().enumerate().position(|(at, token)| ends(at, token)).unwrap_or(from.len());
    (&from[..length], from.get(length))
}

/// How many tokens a parenthesis and all within it are.
fn closing(from: &[Token<'_>]) -> usize {
    let end = from.iter().position(|token| token.is(")") && token.depth == from[0].depth);
    end.map_or(from.len(), |end| end + 1)
}

/// Takes out the whole, where it says what it becomes, and each of its parts, as deep as they go.
fn take_out(sql: &str, condition: &[Token<'_>], outcome: Option<&str>, changes: &mut Vec<Change>) {
    changes.extend(outcome.and_then(|outcome| replaced(sql, condition, outcome)));
    let (parts, outcome) = parts(condition);
    if parts.len() > 1 {
        for part in parts {
            take_out(sql, part, Some(outcome), changes);
        }
    }
}

/// The alternatives of a condition, or else its conjuncts, and what one becomes when it is taken out.
fn parts<'a, 'sql>(condition: &'a [Token<'sql>]) -> (Vec<&'a [Token<'sql>]>, &'static str) {
    let mut inner = condition;
    while inner.first().is_some_and(|first| first.is("(")) && closing(inner) == inner.len() {
        inner = &inner[1..inner.len() - 1];
    }
    let alternatives = split(inner, "OR");
    if alternatives.len() > 1 { (alternatives, "false") } else { (split(inner, "AND"), "true") }
}

fn split<'a, 'sql>(condition: &'a [Token<'sql>], connective: &str) -> Vec<&'a [Token<'sql>]> {
    let depth = condition.first().map_or(0, |token| token.depth);
    condition.split(|token| token.depth == depth && token.is(connective)).collect()
}

fn replaced(sql: &str, condition: &[Token<'_>], outcome: &str) -> Option<Change> {
    let (start, end) = (condition.first()?.start, condition.last()?.end());
    let text = &sql[start..end];
    let connective = if outcome == "true" { "OR" } else { "AND" };
    (text != "true").then(|| Change {
        start,
        end,
        replacement: format!("(({text}) {connective} {outcome})"),
        says: format!("{outcome} for {}", excerpt(text)),
    })
}

/// Takes each name out of each `IN` list of two or more.
#[must_use]
pub fn listed_names(sql: &str) -> Vec<Change> {
    let all = tokens(sql);
    let mut changes = Vec::new();
    for (at, _) in all.iter().enumerate().filter(|(_, token)| token.is("IN")) {
        let list = &all[at + 2..at + closing(&all[at + 1..])];
        let names: Vec<_> = list.iter().filter(|token| token.kind == Kind::Text).collect();
        // Names and commas and nothing else.
        if names.len() < 2 || names.len() * 2 - 1 != list.len() {
            continue;
        }
        for name in &names {
            let others: Vec<_> =
                names.iter().filter(|other| *other != name).map(|other| other.text).collect();
            changes.push(Change {
                start: list[0].start,
                end: list[list.len() - 1].end(),
                replacement: others.join(", "),
                says: format!("no {} in {}", name.text, list_name(&all[..at])),
            });
        }
    }
    changes
}

/// What is looked up in a list: `state IN`, `outcome NOT IN`.
fn list_name(before: &[Token<'_>]) -> String {
    let from =
        before.len().saturating_sub(if before.last().is_some_and(|token| token.is("NOT")) { 2 } else { 1 });
    before[from..].iter().map(|token| token.text).chain(["IN"]).collect::<Vec<_>>().join(" ")
}

/// Takes each lock of rows out.
#[must_use]
pub fn locks(sql: &str) -> Vec<Change> {
    let all = tokens(sql);
    let mut changes = Vec::new();
    for (at, token) in all.iter().enumerate().filter(|(_, token)| token.is("FOR")) {
        let mut end = at + 1;
        while all.get(end).is_some_and(|next| ["NO", "KEY", "UPDATE"].contains(&next.text)) {
            end += 1;
        }
        if end == at + 1 {
            continue;
        }
        if all.get(end).is_some_and(|next| next.is("OF")) {
            end += 2;
        }
        let (start, end) = (token.start, all[end - 1].end());
        let of = all[..at].iter().rev().find(|before| before.is("AS")).map_or(0, |found| found.start);
        let within = sql[..of].split_whitespace().last().unwrap_or_default();
        let says = format!("no {} in {within}", excerpt(&sql[start..end]));
        changes.push(Change { start, end, replacement: String::new(), says });
    }
    changes
}
