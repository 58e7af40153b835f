use super::*;

#[test]
fn the_whole_table_of_a_login_holds() {
    for wrong_codes in 0..=200 {
        let expected = match wrong_codes {
            0..=4 => AfterWrongCode::Continue,
            5 => AfterWrongCode::Wait { minutes: 1 },
            6 => AfterWrongCode::Wait { minutes: 2 },
            7 => AfterWrongCode::Wait { minutes: 4 },
            8 => AfterWrongCode::Wait { minutes: 8 },
            9 => AfterWrongCode::Wait { minutes: 16 },
            10 => AfterWrongCode::Wait { minutes: 32 },
            11..=99 => AfterWrongCode::Wait { minutes: 60 },
            _ => AfterWrongCode::Stop,
        };
        assert_eq!(LockSchedule::LOGIN.verdict_after(wrong_codes), expected, "wrong code {wrong_codes}");
    }
}

#[test]
fn an_activation_waits_as_a_login_does_and_ends_at_the_twentieth() {
    for wrong_codes in 0..20 {
        assert_eq!(
            LockSchedule::ACTIVATION.verdict_after(wrong_codes),
            LockSchedule::LOGIN.verdict_after(wrong_codes),
            "wrong code {wrong_codes}"
        );
    }
    for wrong_codes in 20..=40 {
        assert_eq!(LockSchedule::ACTIVATION.verdict_after(wrong_codes), AfterWrongCode::Stop);
    }
}

#[test]
fn a_count_of_any_size_is_judged() {
    assert_eq!(LockSchedule::LOGIN.verdict_after(u32::MAX), AfterWrongCode::Stop);
    let endless = LockSchedule { stop_at: u32::MAX, ..LockSchedule::LOGIN };
    for wrong_codes in [36, 37, 38, 68, 69, 1_000_000, u32::MAX - 1] {
        assert_eq!(endless.verdict_after(wrong_codes), AfterWrongCode::Wait { minutes: 60 }, "{wrong_codes}");
    }
}
