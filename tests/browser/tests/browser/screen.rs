//! Pictures of what is on the screen, and what a camera would read in them.

use std::fs;

use harness::workspace;
use image::GrayImage;

pub(crate) struct Screen {
    pixels: GrayImage,
    name: String,
}

impl Screen {
    /// Keeps a PNG in `target/screenshots/`.
    pub(crate) fn keep(png: &[u8], name: &str) -> Self {
        let folder = workspace::root().join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
        Self { pixels: image::load_from_memory(png).unwrap().to_luma8(), name: name.to_owned() }
    }

    /// The text of the one QR code in the picture.
    pub(crate) fn read_qr(&self) -> String {
        let (width, height) = self.pixels.dimensions();
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
                self.pixels.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0]
            });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "{} holds {} QR codes instead of one", self.name, grids.len());
        grids[0]
            .decode()
            .unwrap_or_else(|error| panic!("the QR code in {} cannot be read: {error}", self.name))
            .1
    }
}
