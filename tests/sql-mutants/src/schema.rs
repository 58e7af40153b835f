//! What is beside the conditions: of migrations constraints, unique indexes, triggers, privileges; what protects a function.

use crate::mutant::{Change, excerpt};
use crate::token::{Kind, Token, tokens};

/// Takes each constraint, unique index, trigger and privilege out, and what protects a function.
#[must_use]
pub fn changes(sql: &str) -> Vec<Change> {
    let all = tokens(sql);
    let mut found = Vec::new();
    for at in 0..all.len() {
        let from = &all[at..];
        let change = match from[0].text {
            _ if from[0].kind == Kind::Text => None,
            "CONSTRAINT" if !from[1].is("=") => named_constraint(sql, from),
            "NOT" if from[1].is("NULL") && !all[at - 1].is("IS") => {
                removed(sql, &from[..2], nearby(&all[..at]))
            }
            "PRIMARY" if from[2].is("(") => primary_key(sql, from, nearby(&all[..at])),
            "PRIMARY" => removed(sql, &from[..2], nearby(&all[..at])),
            "ON" if from[1].is("DELETE") && from[2].is("CASCADE") => {
                removed(sql, &from[..3], nearby(&all[..at]))
            }
            "REFERENCES" if !all[at - 1].is(")") => removed(sql, reference(from), nearby(&all[..at])),
            "CREATE" if from[1].is("UNIQUE") || from[1].is("TRIGGER") => {
                removed(sql, statement(from), String::new())
            }
            "ALTER" if from[1].is("FUNCTION") => setting_of_function(sql, statement(from)),
            _ => None,
        };
        found.extend(change);
        if from[0].is("FUNCTION")
            && all[..at].last().is_some_and(|before| before.is("CREATE") || before.is("REPLACE"))
        {
            found.extend(protections(sql, from, &["STRICT", "SECURITY", "SET"]));
        }
        if from[0].is("GRANT") || from[0].is("REVOKE") {
            found.extend(privileges(sql, statement(from)));
        }
    }
    found
}

fn statement<'a, 'sql>(from: &'a [Token<'sql>]) -> &'a [Token<'sql>] {
    let end = from.iter().position(|token| token.is(";")).map_or(from.len(), |end| end + 1);
    &from[..end]
}

/// A constraint that always holds stands in its place, because of the commas around it.
fn named_constraint(sql: &str, from: &[Token<'_>]) -> Option<Change> {
    let depth = from[0].depth;
    let kind = &from[2..];
    let mut end = 0;
    while let Some(token) = kind.get(end) {
        let goes_on = token.depth > depth
            || ["UNIQUE", "CHECK", "FOREIGN", "KEY", "REFERENCES", "("].iter().any(|word| token.is(word))
            || token.is(")") && token.depth == depth
            || end > 0 && kind[end - 1].is("REFERENCES");
        // The parenthesis that closes the table stands one level further out.
        if !goes_on || token.is(")") && token.depth < depth {
            break;
        }
        end += 1;
    }
    let (start, end) = (kind.first()?.start, kind.get(end.checked_sub(1)?)?.end());
    let what = excerpt(&sql[start..end]).split(' ').next().unwrap_or_default().to_owned();
    let says = format!("no {what} {}", from[1].text);
    Some(Change { start, end, replacement: "CHECK (true)".to_owned(), says })
}

/// What is written around the body of a function of `journey`: the settings that its file asks for; and, if it stands for
/// all functions of its kind, also what each of them has.
#[must_use]
pub fn around(sql: &str, stands_for_its_kind: bool) -> Vec<Change> {
    let all = tokens(sql);
    let Some(function) = all.iter().position(|token| token.is("FUNCTION")) else { return Vec::new() };
    let mut changes = protections(sql, &all[function..], &["STABLE", "SECURITY", "SET"]);
    changes
        .retain(|change| stands_for_its_kind || change.says.starts_with("no SET") && !pins_the_path(change));
    changes
}

fn pins_the_path(change: &Change) -> bool {
    change.says.starts_with("no SET search_path")
}

/// Of a function, what begins with these words: that it does nothing when an argument is NULL, that it changes nothing,
/// that it runs as its owner, and each of its settings.
fn protections(sql: &str, function: &[Token<'_>], words: &[&str]) -> Vec<Change> {
    let head = function.iter().position(|token| token.is("AS")).map_or(function, |body| &function[..body]);
    let begins =
        |at: &usize| words.iter().any(|word| head[*at].is(word)) && head[*at].depth == function[0].depth;
    let starts: Vec<usize> = (0..head.len()).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([head.len()]);
    let of = format!(" of {}", excerpt(function[1].text));
    starts.iter().zip(ends).filter_map(|(start, end)| removed(sql, &head[*start..end], of.clone())).collect()
}

fn reference<'a, 'sql>(from: &'a [Token<'sql>]) -> &'a [Token<'sql>] {
    if from[2].is("ON") && from[3].is("DELETE") { &from[..5] } else { &from[..2] }
}

/// `ALTER FUNCTION f() SET a = b`: without the setting there is no statement.
fn setting_of_function(sql: &str, statement: &[Token<'_>]) -> Option<Change> {
    let setting = statement.iter().position(|token| token.is("SET"))?;
    let what = excerpt(text(sql, statement[setting..].strip_suffix(&statement[statement.len() - 1..])?));
    let change = removed(sql, statement, String::new())?;
    Some(Change { says: format!("no {what} of {}", excerpt(statement[2].text)), ..change })
}

/// Of several columns.
fn primary_key(sql: &str, from: &[Token<'_>], of: String) -> Option<Change> {
    let columns = from.iter().position(|token| token.is(")"))?;
    let change = removed(sql, &from[..=columns], of)?;
    Some(Change { replacement: "CHECK (true)".to_owned(), ..change })
}

/// The table and the column that a column's constraint belongs to.
fn nearby(before: &[Token<'_>]) -> String {
    let table = before.iter().rposition(|token| token.is("TABLE")).map_or("", |at| before[at + 1].text);
    let depth = before.last().map_or(0, |token| token.depth);
    let column = before
        .iter()
        .rposition(|token| token.depth <= depth && (token.is(",") || token.is("(")))
        .and_then(|at| before.get(at + 1))
        .map_or("", |token| token.text);
    format!(" of {table}.{column}").trim_end_matches('.').to_owned()
}

fn removed(sql: &str, tokens: &[Token<'_>], of: String) -> Option<Change> {
    let (start, end) = (tokens.first()?.start, tokens.last()?.end());
    let text = excerpt(&sql[start..end]);
    let short: String = text.chars().take(70).collect();
    Some(Change { start, end, replacement: String::new(), says: format!("no {short}{of}") })
}

/// Of `GRANT SELECT, UPDATE (a, b) ON t`: each privilege, each column, and the limit to these columns. Of a `REVOKE`, each
/// object, and each of several from whom it is taken.
fn privileges(sql: &str, statement: &[Token<'_>]) -> Vec<Change> {
    let mut changes = Vec::new();
    let is_revoke = statement[0].is("REVOKE");
    let bound =
        |word: &str| statement.iter().position(|token| token.depth == statement[0].depth && token.is(word));
    let (Some(on), Some(to)) = (bound("ON"), bound(if is_revoke { "FROM" } else { "TO" })) else {
        return changes;
    };
    let object = excerpt(&sql[statement[on + 1].start..statement[to - 1].end()]);
    let verb = statement[0].text;
    let (list, of) = if is_revoke {
        // REVOKE ALL ON FUNCTION a, b FROM ..., or ALL TABLES IN SCHEMA s
        let kind = usize::from(statement[on + 1].is("FUNCTION"));
        (&statement[on + 1 + kind..to], String::new())
    } else {
        (&statement[1..on], format!(" ON {object}"))
    };
    if is_revoke {
        changes.extend(each_loser(sql, &statement[to + 1..], &excerpt(text(sql, list))));
    }
    let items = items(list);
    for item in &items {
        let says = format!("no {verb} {}{of}", excerpt(text(sql, item)));
        changes.push(without(sql, statement, list, &items, item, says));
        if let Some((columns, name)) = item
            .split_first()
            .filter(|_| !is_revoke)
            .and_then(|(name, rest)| (rest.len() > 2).then(|| (&rest[1..rest.len() - 1], name.text)))
        {
            let (start, end) = (item[1].start, item[item.len() - 1].end());
            let says = format!("{verb} {name}{of} without a limit to columns");
            changes.push(Change { start, end, replacement: String::new(), says });
            changes.extend(each_column(sql, columns, &format!("{verb} {name}"), &of));
        }
    }
    changes
}

/// Of several from whom something is taken, each keeps it.
fn each_loser(sql: &str, after_from: &[Token<'_>], object: &str) -> Vec<Change> {
    let end = after_from.iter().position(|token| token.is(";")).unwrap_or(after_from.len());
    let losers = &after_from[..end];
    let names = items(losers);
    if names.len() < 2 {
        return Vec::new();
    }
    let without_one = |one: &&[Token<'_>]| {
        let says = format!("no REVOKE {object} FROM {}", text(sql, one));
        without(sql, &[], losers, &names, one, says)
    };
    names.iter().map(without_one).collect()
}

fn each_column(sql: &str, columns: &[Token<'_>], verb: &str, of: &str) -> Vec<Change> {
    let names = items(columns);
    if names.len() < 2 {
        return Vec::new();
    }
    names
        .iter()
        .map(|column| {
            without(sql, &[], columns, &names, column, format!("no {verb} ({}){of}", text(sql, column)))
        })
        .collect()
}

/// A list without one of its items; without the only one there is no statement.
fn without(
    sql: &str,
    statement: &[Token<'_>],
    list: &[Token<'_>],
    items: &[&[Token<'_>]],
    item: &[Token<'_>],
    says: String,
) -> Change {
    let others: Vec<_> =
        items.iter().filter(|other| other[0] != item[0]).map(|other| text(sql, other)).collect();
    let goes = if others.is_empty() { statement } else { list };
    let (start, end) = (goes[0].start, goes[goes.len() - 1].end());
    Change { start, end, replacement: others.join(", "), says }
}

fn items<'a, 'sql>(list: &'a [Token<'sql>]) -> Vec<&'a [Token<'sql>]> {
    let depth = list[0].depth;
    list.split(|token| token.depth == depth && token.is(",")).collect()
}

fn text<'sql>(sql: &'sql str, tokens: &[Token<'_>]) -> &'sql str {
    &sql[tokens[0].start..tokens[tokens.len() - 1].end()]
}
