//! Pictures of what is on the screen, and what a camera would read in them.

use std::fs;

use harness::workspace;

/// Keeps a picture in `target/screenshots/`.
pub(crate) fn keep(png: &[u8], name: &str) {
    let file = workspace::root().join(format!("target/screenshots/{name}.png"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, png).unwrap();
}

/// The text of the one QR code in a picture.
pub(crate) fn read_qr(png: &[u8]) -> Result<String, String> {
    let pixels = image::load_from_memory(png).unwrap().to_luma8();
    let (width, height) = pixels.dimensions();
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        pixels.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0]
    });
    match &picture.detect_grids()[..] {
        [code] => code.decode().map(|(_, text)| text).map_err(|error| error.to_string()),
        codes => Err(format!("{} QR codes instead of one", codes.len())),
    }
}
