//! Conditions, the names in `IN` lists, and locks of rows.

use crate::mutant::{Change, excerpt};
use crate::token::{Kind, Token, tokens};

/// What ends a condition that no parenthesis ends.
const ENDS: [&str; 22] = [
    "WHERE",
    "AS",
    "ON",
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
    "$$",
    "$function$",
];

/// Takes each condition out: a conjunct becomes true, an alternative becomes false, a `WHEN` of a `CASE` and an `IF` never
/// apply. Of what a function returns, each part is one.
/// The condition is left in the text beside its outcome: a mutant reads like the original.
#[must_use]
pub fn conditions(sql: &str) -> Vec<Change> {
    let all = tokens(sql);
    let mut changes = Vec::new();
    for (at, _) in all.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let (condition, end) = condition_after(&all, at);
        let is_a_branch = end.is_some_and(|end| end.is("THEN"));
        match all[at].text {
            "WHEN" | "IF" if is_a_branch => take_out(sql, condition, Some("false"), &mut changes),
            "ON" if !follows_a_join(&all[..at]) => {}
            "WHERE" | "ON" | "WHEN" => {
                let is_one = parts(condition).0.len() == 1;
                take_out(sql, condition, is_one.then_some("true"), &mut changes);
            }
            "SELECT" => take_out(sql, condition, None, &mut changes),
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
    // The first AND after a BETWEEN is its own.
    let mut is_between = false;
    let mut connects = |token: &Token<'_>| {
        if token.depth != depth {
            return false;
        }
        let belongs_to_between = is_between && token.is("AND");
        is_between = token.is("BETWEEN") || is_between && !belongs_to_between;
        token.is(connective) && !belongs_to_between
    };
    condition.split(|token| connects(token)).collect()
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

/// What is looked up in a list: `state IN`, `outcome NOT IN`, `($1).state IN`.
fn list_name(before: &[Token<'_>]) -> String {
    let is_not = before.last().is_some_and(|token| token.is("NOT"));
    let what = &before[..before.len() - usize::from(is_not)];
    // ( $1 ) .state
    let is_of_a_row = what.last().is_some_and(|token| token.text.starts_with('.'));
    let from = what.len().saturating_sub(if is_of_a_row { 4 } else { 1 });
    let name: String = what[from..].iter().map(|token| token.text).collect();
    format!("{name} {}IN", if is_not { "NOT " } else { "" })
}

/// Takes each lock of rows out, and of one that waits for nobody that it does not.
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
        let place = place(&all[..at], token.depth);
        if all.get(end).is_some_and(|next| next.is("SKIP")) {
            changes.push(without(sql, &all[end..end + 2], place));
            end += 2;
        }
        changes.push(without(sql, &all[at..end], place));
    }
    changes
}

fn without(sql: &str, lock: &[Token<'_>], place: &str) -> Change {
    let (start, end) = (lock[0].start, lock[lock.len() - 1].end());
    let says = format!("no {} in {place}", excerpt(&sql[start..end]));
    Change { start, end, replacement: String::new(), says }
}

/// The part of the statement that locks, `owner AS (`, or else the table.
fn place<'sql>(before: &[Token<'sql>], depth: usize) -> &'sql str {
    let opening = before.iter().rposition(|token| token.is("(") && token.depth + 1 == depth);
    let part = opening.filter(|at| *at > 1 && before[at - 1].is("AS")).map(|at| before[at - 2].text);
    let table = || before.iter().rposition(|token| token.is("FROM")).map_or("", |at| before[at + 1].text);
    part.unwrap_or_else(table)
}
