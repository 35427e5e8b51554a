//! Events per second that the AEDAT 3.1 reader gives on one core, from a file in the page cache.
//!
//! Seconds are those that the system gave this process, where it says so (Linux), so that other
//! work on the machine does not count.
//!
//! cargo bench -p hrsnn-core --bench aedat

use std::fs;
use std::sync::LazyLock;
use std::time::Instant;

use hrsnn_core::aedat::AedatReader;
use hrsnn_core::camera::SensorEvents;

const N_PACKETS: u32 = 4000;
const N_EVENTS: u32 = 4096;
const N_ROUNDS: usize = 7;

fn file() -> Vec<u8> {
    let mut bytes =
        b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n#!END-HEADER\r\n".to_vec();
    for packet in 0..N_PACKETS {
        bytes.extend([1_i16, 0].map(i16::to_le_bytes).as_flattened());
        let number = N_EVENTS as i32;
        let rest = [8, 4, 0, number, number, number];
        bytes.extend(rest.map(i32::to_le_bytes).as_flattened());
        for event in 0..N_EVENTS {
            let data = (event * 31 % 128) << 17 | (event * 17 % 128) << 2 | (event & 1) << 1 | 1;
            let time = (packet * N_EVENTS + event) * 10;
            bytes.extend([data, time].map(u32::to_le_bytes).as_flattened());
        }
    }
    bytes
}

/// Seconds of this process on a core; since the start, where the system does not say.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |number| number * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("aedat-bench-{}.aedat", std::process::id()));
    fs::write(&path, file())?;
    let total = f64::from(N_PACKETS) * f64::from(N_EVENTS);
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..N_ROUNDS {
        // Whole: into one table, as `read_aedat` does. Streamed: a table of 64 Ki events.
        for (piece, rates) in [usize::MAX, 1 << 16].into_iter().zip(&mut rates) {
            let start = seconds();
            let mut reader = AedatReader::open(&path, 128, 128)?;
            let mut events = SensorEvents::default();
            let mut n_events = 0;
            loop {
                if piece < usize::MAX {
                    events.t.clear();
                    events.x.clear();
                    events.y.clear();
                    events.p.clear();
                }
                match reader.read(&mut events, piece)? {
                    0 => break,
                    n => n_events += n,
                }
            }
            rates.push(total / (seconds() - start) / 1e6);
            assert_eq!(n_events as f64, total);
        }
    }
    fs::remove_file(&path)?;
    for (name, mut rates) in ["whole", "streamed"].into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let (least, median, most) = (rates[0], rates[N_ROUNDS / 2], rates[N_ROUNDS - 1]);
        println!("{name}: {median:.0} M events/s (median of {N_ROUNDS}; {least:.0} to {most:.0})");
    }
    Ok(())
}
