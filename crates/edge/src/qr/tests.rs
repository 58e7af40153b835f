//! Codes are read back by another library than the one that draws them, from the path that a browser would draw.

use super::*;
use proptest::prelude::*;

/// Pixels per module.
const SCALE: usize = 3;

/// Draws the strokes as a browser does: `M x y`, `m dx 0` and `h length`, each stroke one unit wide.
fn rasterise(svg: &str) -> (usize, Vec<bool>) {
    let side: usize = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let path = svg.split("stroke=\"#000\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut dark = vec![false; side * side];
    let (mut x, mut y) = (0, 0);
    for command in path
        .split_inclusive(char::is_numeric)
        .collect::<String>()
        .split(['M', 'm', 'h'])
        .skip(1)
        .zip(path.chars().filter(char::is_ascii_alphabetic))
    {
        let (numbers, letter) = command;
        let mut numbers = numbers.split(' ');
        let first: usize = numbers.next().unwrap().parse().unwrap();
        match letter {
            'M' => {
                x = first;
                y = numbers.next().unwrap().strip_suffix(".5").unwrap().parse().unwrap();
            }
            'm' => {
                assert_eq!(numbers.next(), Some("0"));
                x += first;
            }
            _ => {
                dark[y * side + x..y * side + x + first].fill(true);
                x += first;
            }
        }
        assert_eq!(numbers.next(), None);
    }
    (side, dark)
}

fn read_back(svg: &str) -> String {
    let (side, dark) = rasterise(svg);
    let pixel = |x: usize, y: usize| {
        if dark[y / SCALE * side + x / SCALE] { 0 } else { 255 }
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, pixel);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

const REVEAL_URL: &str = "https://identity.cofrap.example/reveal#AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const PASSWORD: &str = r#"aB3$%"<>&'`\ |~{}[]()+=?"#;
const OTPAUTH_URI: &str = "otpauth://totp/COFRAP:alice.in.wonderland?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
                           &issuer=COFRAP&algorithm=SHA1&digits=6&period=30";

#[test]
fn another_library_reads_what_was_written() {
    for text in [REVEAL_URL, PASSWORD, OTPAUTH_URI, "a", "é€"] {
        assert_eq!(read_back(&qr_svg(text).unwrap()), text);
    }
}

#[test]
fn a_code_is_small() {
    for (text, bytes_max) in [(PASSWORD, 2_200), (REVEAL_URL, 4_500), (OTPAUTH_URI, 7_000)] {
        let bytes = qr_svg(text).unwrap().len();
        println!("{} characters: {bytes} bytes", text.len());
        assert!(bytes <= bytes_max, "{bytes}");
    }
}

#[test]
fn around_the_code_four_modules_are_light() {
    let (side, dark) = rasterise(&qr_svg(REVEAL_URL).unwrap());
    for (position, _) in dark.iter().enumerate().filter(|(_, dark)| **dark) {
        for coordinate in [position / side, position % side] {
            assert!((4..side - 4).contains(&coordinate));
        }
    }
}

#[test]
fn the_picture_holds_nothing_that_a_strict_page_would_refuse() {
    let svg = qr_svg("<script>alert(1)</script>").unwrap();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
    assert!(svg.ends_with("\"/></svg>"));
    for refused in ["<?xml", "script", "style", "href", "&"] {
        assert!(!svg.contains(refused), "{refused}");
    }
}

#[test]
fn a_text_that_fits_no_code_is_a_fault() {
    assert!(qr_svg(&"x".repeat(4_000)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_password_is_read_back(password in "[!-~]{24}") {
        prop_assert_eq!(read_back(&qr_svg(&password).unwrap()), password);
    }
}
