//! A QR code (ISO/IEC 18004) as a small SVG: one path, one line per run of dark modules.
//!
//! The matrix is the `qrcode` crate's, the drawing is ours. What the picture means, and its text for people who do not
//! see it, are the page's.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use crate::fault::Fault;

/// Light modules around the code: the quiet zone that readers need (ISO/IEC 18004 section 6.3.8).
const QUIET_ZONE_MODULES: usize = 4;

/// A text as a QR code, error correction level M (15 %).
///
/// # Errors
/// A fault when the text is too long for a QR code, which nothing that this service draws is.
pub fn qr_svg(text: &str) -> Result<String, Fault> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|_| Fault::new("a text is too long for a QR code"))?;
    Ok(draw(&code.to_colors(), code.width()))
}

/// A module is one unit; a run is a stroke one unit wide along the middle of its row, which takes half the bytes of an
/// outline. `crispEdges` keeps a browser from blurring the seams between rows.
fn draw(modules: &[Color], width: usize) -> String {
    let side = width + 2 * QUIET_ZONE_MODULES;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\""
    );
    for (y, row) in modules.chunks(width).enumerate() {
        let mut end = None;
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                // Writing to a String cannot fail.
                _ = match end {
                    None => write!(svg, "M{} {}.5", x + QUIET_ZONE_MODULES, y + QUIET_ZONE_MODULES),
                    Some(end) => write!(svg, "m{} 0", x - end),
                };
                _ = write!(svg, "h{}", run.len());
                end = Some(x + run.len());
            }
            x += run.len();
        }
    }
    svg.push_str("\"/></svg>");
    svg
}

#[cfg(test)]
mod tests;
