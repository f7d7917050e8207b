//! Packed text comes out whole in bounded pieces, or is refused.

use std::io::{self, Write};

use cq_wire::{Codec, Inflater, WireError};
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

const MOST: usize = 1 << 22;

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text)?;
    out.finish()
}

fn deflate(text: &[u8]) -> io::Result<(Codec, Vec<u8>)> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::default());
    out.write_all(text)?;
    let mut crc = Crc::new();
    crc.update(text);
    let (crc, size) = (crc.sum(), text.len() as u64);
    Ok((Codec::Deflate { crc, size }, out.finish()?))
}

fn unpack(codec: Codec, packed: &[u8], step: usize) -> Result<Vec<u8>, WireError> {
    let mut inflater = Inflater::new(codec);
    let mut all = Vec::new();
    for chunk in packed.chunks(step) {
        inflater.feed(chunk);
        loop {
            let text = inflater.text()?;
            assert!(text.len() <= MOST);
            if text.is_empty() {
                break;
            }
            all.extend(text);
        }
    }
    inflater.finish().map(|()| all)
}

fn text(length: usize) -> Vec<u8> {
    (0..length).flat_map(|n| (n * n).to_le_bytes()).collect()
}

#[test]
fn text_comes_out_whole_however_the_bytes_are_cut() {
    let text = text(4_000);
    let (codec, deflated) = deflate(&text).unwrap();
    let twice = [gzip(&text).unwrap(), gzip(&text).unwrap()].concat();
    for step in [1, 7, 1 << 18] {
        assert_eq!(
            unpack(Codec::Gzip, &gzip(&text).unwrap(), step).unwrap(),
            text
        );
        assert_eq!(unpack(Codec::Gzip, &twice, step).unwrap(), text.repeat(2));
        assert_eq!(unpack(codec, &deflated, step).unwrap(), text);
    }
}

#[test]
fn a_little_that_unpacks_to_very_much_comes_in_pieces() {
    let zeros = vec![0; 10 * MOST];
    assert_eq!(
        unpack(Codec::Gzip, &gzip(&zeros).unwrap(), 1 << 18).unwrap(),
        zeros
    );
    let (codec, packed) = deflate(&zeros).unwrap();
    assert_eq!(unpack(codec, &packed, 1 << 18).unwrap(), zeros);
}

#[test]
fn what_is_cut_short_spoiled_or_goes_on_is_refused() {
    let text = text(4_000);
    let (codec, deflated) = deflate(&text).unwrap();
    let Codec::Deflate { crc, size } = codec else {
        unreachable!()
    };
    let packed = gzip(&text).unwrap();
    for cut in [1, 8, 100] {
        assert!(unpack(Codec::Gzip, &packed[..packed.len() - cut], 64).is_err());
        assert!(unpack(codec, &deflated[..deflated.len() - cut], 64).is_err());
    }
    for (wrong, expected) in [
        (Codec::Deflate { crc: crc ^ 1, size }, "wrong checksum"),
        (
            Codec::Deflate {
                crc,
                size: size + 1,
            },
            "wrong size",
        ),
    ] {
        let error = unpack(wrong, &deflated, 64).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    for codec in [Codec::Gzip, codec] {
        let packed = if codec == Codec::Gzip {
            &packed
        } else {
            &deflated
        };
        assert!(unpack(codec, &[packed.as_slice(), b"more"].concat(), 64).is_err());
        for at in [20, packed.len() / 2, packed.len() - 4] {
            let mut spoiled = packed.clone();
            spoiled[at] ^= 0x10;
            assert!(unpack(codec, &spoiled, 64).is_err(), "{codec:?} {at}");
        }
    }
}
