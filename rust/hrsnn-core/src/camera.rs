//! An event camera: frames of light in, events out; and the dead time of event streams.
//!
//! Lives here: temporal contrast of each pixel's log intensity, with the state that lets a
//! clip arrive in pieces. Not here: noise and the draw of thresholds, which need random
//! numbers, and files of video. Invariant: feeding a clip in pieces gives the same events
//! as feeding it at once, because an event lies in `(t0, t1]` of its two frames.

use crate::{Error, Result};

/// Times are below this (µs), so that sums of two stay within `i64`.
const MAX_TIME: i64 = 1 << 62;
/// Smallest threshold (log units): it bounds the number of crossings between two frames.
const MIN_THRESHOLD: f64 = 1e-3;
/// Largest number of channels of [`dead_time`], which keeps a time for each.
const MAX_CHANNELS: usize = 1 << 28;

/// Light, frame after frame, rows within a frame, columns within a row.
#[derive(Clone, Copy, Debug)]
pub enum Frames<'a> {
    /// Intensity in any linear unit, greater than 0.
    Intensity(&'a [f32]),
    /// Luma of 8 bits; stands for the intensity `luma + luma_offset`.
    Luma(&'a [u8]),
}

impl Frames<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Intensity(values) => values.len(),
            Self::Luma(values) => values.len(),
        }
    }
}

/// Events of a sensor, one column each, sorted by (t, y, x).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SensorEvents {
    /// Times, µs.
    pub t: Vec<i64>,
    /// Columns of the sensor.
    pub x: Vec<u16>,
    /// Rows of the sensor.
    pub y: Vec<u16>,
    /// Polarities: 0 OFF, 1 ON.
    pub p: Vec<u8>,
}

/// What a pixel remembers between frames.
#[derive(Clone, Copy, Debug)]
struct Pixel {
    /// Log intensity at its latest crossing.
    level: f64,
    /// Log intensity in the latest frame.
    log: f64,
    /// Time of its latest event, µs.
    last: i64,
    /// Intensity in the latest frame: where it stays, no logarithm is needed.
    intensity: f32,
}

const UNSEEN: Pixel = Pixel { level: 0.0, log: 0.0, last: i64::MIN, intensity: f32::NAN };

/// Temporal contrast with thresholds of each pixel's own.
///
/// Between two frames the log intensity of a pixel is a straight line. Where it reaches
/// `level + on` (or `level - off`) the pixel sends an ON (OFF) event, at the nearest µs, and
/// that height becomes its new `level`; one line may cross several times. A crossing less
/// than the dead time after the pixel's latest event sends nothing, but moves the level.
/// The first frame sets the levels.
///
/// ```
/// use hrsnn_core::camera::{EventCamera, Frames};
///
/// let mut camera = EventCamera::new(1, 1, vec![0.5], vec![0.5], 0, 1.0)?;
/// let bright = 1.25_f32.exp();
/// let events = camera.feed(Frames::Intensity(&[1.0, bright]), &[0, 1000])?;
/// assert_eq!(events.t, [400, 800]);
/// assert_eq!(events.p, [1, 1]);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventCamera {
    height: usize,
    width: usize,
    on: Vec<f64>,
    off: Vec<f64>,
    dead_us: i64,
    luma_offset: f32,
    luma_logs: Vec<f64>,
    pixels: Vec<Pixel>,
    time: Option<i64>,
    n_crossings: u64,
    n_dead: u64,
}

impl EventCamera {
    /// A camera that has seen nothing.
    ///
    /// `on` and `off` are thresholds in log units, one per pixel, row after row; `dead_us` is
    /// the dead time in µs; `luma_offset` is added to luma before the logarithm.
    ///
    /// # Errors
    /// If a size is 0 or above 65535, a threshold is not finite or below 0.001, the dead time is
    /// negative, or the offset is not above 0.
    pub fn new(
        height: usize,
        width: usize,
        on: Vec<f64>,
        off: Vec<f64>,
        dead_us: i64,
        luma_offset: f64,
    ) -> Result<Self> {
        for (name, size) in [("height", height), ("width", width)] {
            if size == 0 || size > usize::from(u16::MAX) {
                return Err(Error::parameter(name, "in 1..=65535", size));
            }
        }
        for (name, thresholds) in [("threshold_on", &on), ("threshold_off", &off)] {
            if thresholds.len() != height * width {
                return Err(Error::length(name, height * width, thresholds.len()));
            }
            let expected = "finite and at least 0.001";
            crate::error::check_each(name, thresholds, expected, "pixel", |threshold| {
                threshold >= MIN_THRESHOLD
            })?;
        }
        check_dead_time(dead_us)?;
        let offset = luma_offset as f32;
        if !(offset > 0.0 && offset.is_finite()) {
            return Err(Error::parameter("luma_offset", "finite and greater than 0", luma_offset));
        }
        let luma_logs = (0..=u8::MAX).map(|luma| log(f32::from(luma) + offset)).collect();
        let pixels = vec![UNSEEN; height * width];
        Ok(Self {
            height,
            width,
            on,
            off,
            dead_us,
            luma_offset: offset,
            luma_logs,
            pixels,
            time: None,
            n_crossings: 0,
            n_dead: 0,
        })
    }

    /// Rows of the sensor.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of the sensor.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Crossings since the beginning, those of the dead time among them.
    pub fn n_crossings(&self) -> u64 {
        self.n_crossings
    }

    /// Crossings that the dead time swallowed.
    pub fn n_dead(&self) -> u64 {
        self.n_dead
    }

    /// Forget what was seen: the next frame is a first one.
    pub fn reset(&mut self) {
        self.pixels.fill(UNSEEN);
        self.time = None;
        self.n_crossings = 0;
        self.n_dead = 0;
    }

    /// Events of the next frames, seen at `times` (µs).
    ///
    /// # Errors
    /// If the number of values is not that of `times` frames, times do not increase (also
    /// from the latest frame of the call before), or an intensity is not finite and above 0.
    /// The camera is then as it was.
    pub fn feed(&mut self, frames: Frames<'_>, times: &[i64]) -> Result<SensorEvents> {
        let n_pixels = self.pixels.len();
        let found = frames.len();
        if times.len().checked_mul(n_pixels) != Some(found) {
            return Err(Error::length("frames", times.len() * n_pixels, found));
        }
        self.check_times(times)?;
        if let Frames::Intensity(values) = frames {
            check_intensities(values, n_pixels)?;
        }
        let mut events = SensorEvents::default();
        let mut found = Vec::new();
        for (index, &time) in times.iter().enumerate() {
            let range = index * n_pixels..(index + 1) * n_pixels;
            let offset = self.luma_offset;
            match frames {
                Frames::Intensity(values) => {
                    self.see(values[range].iter().map(|&value| (value, None)), time, &mut found);
                }
                Frames::Luma(values) => {
                    let logs = std::mem::take(&mut self.luma_logs);
                    let pixels = values[range]
                        .iter()
                        .map(|&luma| (f32::from(luma) + offset, Some(logs[usize::from(luma)])));
                    self.see(pixels, time, &mut found);
                    self.luma_logs = logs;
                }
            }
            // Stable: pixels were visited in order, and each one's own times do not decrease.
            found.sort_by_key(|&(t, _, _)| t);
            for (t, pixel, polarity) in found.drain(..) {
                events.t.push(t);
                events.x.push((pixel % self.width) as u16);
                events.y.push((pixel / self.width) as u16);
                events.p.push(polarity);
            }
        }
        Ok(events)
    }

    /// One frame: `values` are each pixel's intensity and, where it is known, its logarithm.
    fn see(
        &mut self,
        values: impl Iterator<Item = (f32, Option<f64>)>,
        time: i64,
        found: &mut Vec<(i64, usize, u8)>,
    ) {
        let previous = self.time.replace(time);
        for (index, (intensity, known)) in values.enumerate() {
            let pixel = &mut self.pixels[index];
            if intensity == pixel.intensity {
                continue;
            }
            let before = pixel.log;
            pixel.log = known.unwrap_or_else(|| log(intensity));
            pixel.intensity = intensity;
            let Some(start) = previous else {
                pixel.level = pixel.log;
                continue;
            };
            let now = pixel.log;
            let (step, polarity) =
                if now > before { (self.on[index], 1) } else { (-self.off[index], 0) };
            let span = (time - start) as f64;
            loop {
                let height = pixel.level + step;
                let crossed = if polarity == 1 { now >= height } else { now <= height };
                if !crossed {
                    break;
                }
                pixel.level = height;
                self.n_crossings += 1;
                let share = (height - before) / (now - before);
                let t = (start + (share * span).round() as i64).clamp(start + 1, time);
                if t < pixel.last.saturating_add(self.dead_us) {
                    self.n_dead += 1;
                } else {
                    pixel.last = t;
                    found.push((t, index, polarity));
                }
            }
        }
    }

    fn check_times(&self, times: &[i64]) -> Result<()> {
        let mut previous = self.time.unwrap_or(-1);
        for (index, &time) in times.iter().enumerate() {
            if !(0..MAX_TIME).contains(&time) {
                return Err(Error::element("times", "in [0, 2^62) µs", time, "frame", index));
            }
            if time <= previous {
                let expected = format!("greater than the time before ({previous} µs)");
                return Err(Error::element("times", expected, time, "frame", index));
            }
            previous = time;
        }
        Ok(())
    }
}

fn log(intensity: f32) -> f64 {
    f64::from(intensity).ln()
}

fn check_intensities(values: &[f32], n_pixels: usize) -> Result<()> {
    match values.iter().position(|&value| !(value > 0.0 && value < f32::INFINITY)) {
        Some(index) => {
            let expected = "finite and greater than 0";
            let at = format!("frame {}, pixel", index / n_pixels);
            Err(Error::element("frames", expected, values[index], &at, index % n_pixels))
        }
        None => Ok(()),
    }
}

fn check_dead_time(dead_us: i64) -> Result<()> {
    if (0..MAX_TIME).contains(&dead_us) {
        return Ok(());
    }
    Err(Error::parameter("dead_time", "in [0, 2^62) µs", dead_us))
}

/// Which events to keep where each channel is dead for `dead_us` µs after a kept event.
///
/// An event less than `dead_us` after the latest kept one of its channel is dropped; dropped
/// events do not prolong the dead time.
///
/// ```
/// let keep = hrsnn_core::camera::dead_time(&[0, 5, 10], &[0, 0, 0], 1, 10)?;
/// assert_eq!(keep, [true, false, true]);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
///
/// # Errors
/// If the lengths differ, a time is negative or decreases, a channel is not below
/// `n_channels`, `n_channels` is above 2^28, or the dead time is negative.
pub fn dead_time(t: &[i64], channel: &[u32], n_channels: usize, dead_us: i64) -> Result<Vec<bool>> {
    check_dead_time(dead_us)?;
    if channel.len() != t.len() {
        return Err(Error::length("channel", t.len(), channel.len()));
    }
    if n_channels > MAX_CHANNELS {
        return Err(Error::parameter("n_channels", "at most 2^28", n_channels));
    }
    // First µs at which a channel is alive again: 0 is "always was".
    let mut alive = vec![0_i64; n_channels];
    let mut previous = 0;
    let mut keep = Vec::with_capacity(t.len());
    for (index, (&time, &channel)) in t.iter().zip(channel).enumerate() {
        if !(0..MAX_TIME).contains(&time) {
            return Err(Error::element("t", "in [0, 2^62) µs", time, "event", index));
        }
        if time < previous {
            return Err(Error::NotSorted { name: "t".into(), index, previous, value: time });
        }
        previous = time;
        let Some(alive) = alive.get_mut(channel as usize) else {
            let expected = format!("below n_channels ({n_channels})");
            return Err(Error::element("channel", expected, channel, "event", index));
        };
        let kept = time >= *alive;
        if kept {
            *alive = time + dead_us;
        }
        keep.push(kept);
    }
    Ok(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(threshold: f64, dead_us: i64) -> EventCamera {
        EventCamera::new(1, 2, vec![threshold; 2], vec![threshold; 2], dead_us, 1.0).unwrap()
    }

    fn light(logs: &[f64]) -> Vec<f32> {
        logs.iter().map(|log| log.exp() as f32).collect()
    }

    #[test]
    fn a_ramp_crosses_at_known_times_and_a_still_pixel_is_silent() {
        let frames = light(&[0.0, 0.0, 1.05, 0.0]);
        let events = camera(0.25, 0).feed(Frames::Intensity(&frames), &[0, 10_500]).unwrap();
        assert_eq!(events.t, [2500, 5000, 7500, 10_000]);
        assert_eq!((events.x, events.y, events.p), (vec![0; 4], vec![0; 4], vec![1; 4]));
    }

    #[test]
    fn the_level_is_remembered_across_frames_and_directions() {
        let mut camera = camera(1.0, 0);
        // 0 -> 0.6 -> 1.2 crosses 1 a third of the way; back to 0.1 does not reach 0.
        let frames = light(&[0.0, 0.0, 0.6, 0.0, 1.2, 0.0, 0.1, 0.0, -0.1, 0.0]);
        let events = camera.feed(Frames::Intensity(&frames), &[0, 300, 600, 900, 1100]).unwrap();
        assert_eq!((events.t, events.p), (vec![500, 1000], vec![1, 0]));
        assert_eq!(camera.n_crossings(), 2);
    }

    #[test]
    fn dead_time_drops_crossings_but_moves_the_level() {
        let mut camera = camera(0.1, 300);
        let frames = light(&[0.0, 0.0, 1.05, 0.0, 0.96, 0.0]);
        let events = camera.feed(Frames::Intensity(&frames), &[0, 1050, 2000]).unwrap();
        assert_eq!(events.t, [100, 400, 700, 1000]);
        assert_eq!((camera.n_crossings(), camera.n_dead()), (10, 6));
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let logs: Vec<f64> = (0..40).map(|i| f64::from(i * 7919 % 23) / 9.0).collect();
        let frames = light(&logs);
        let times: Vec<i64> = (0..20).map(|i| i * 37).collect();
        let whole = camera(0.11, 5).feed(Frames::Intensity(&frames), &times).unwrap();
        let mut piecewise = camera(0.11, 5);
        let mut joined = SensorEvents::default();
        for piece in [0..1, 1..8, 8..8, 8..20] {
            let values = &frames[piece.start * 2..piece.end * 2];
            let events = piecewise.feed(Frames::Intensity(values), &times[piece]).unwrap();
            joined.t.extend(events.t);
            joined.x.extend(events.x);
            joined.y.extend(events.y);
            joined.p.extend(events.p);
        }
        assert_eq!(joined, whole);
        assert!(whole.t.is_sorted() && whole.t.len() > 50);
    }

    #[test]
    fn luma_is_intensity_plus_offset() {
        let luma = [0_u8, 9, 255, 3, 128, 0];
        let light = luma.map(|luma| f32::from(luma) + 1.0);
        let times = [0, 100, 200];
        let from_luma = camera(0.2, 0).feed(Frames::Luma(&luma), &times).unwrap();
        assert_eq!(from_luma, camera(0.2, 0).feed(Frames::Intensity(&light), &times).unwrap());
    }

    #[test]
    fn faults_are_named_and_leave_the_camera_as_it_was() {
        let mut camera = camera(0.2, 0);
        camera.feed(Frames::Intensity(&[1.0, 1.0]), &[10]).unwrap();
        let error = camera.feed(Frames::Intensity(&[2.0, 0.0]), &[20]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "frames must be finite and greater than 0; got 0 at frame 0, pixel 1."
        );
        let error = camera.feed(Frames::Intensity(&[2.0, 1.0]), &[10]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "times must be greater than the time before (10 µs); got 10 at frame 0."
        );
        assert!(camera.feed(Frames::Intensity(&[2.0]), &[20]).is_err());
        let events = camera.feed(Frames::Intensity(&[2.0, 1.0]), &[20]).unwrap();
        assert_eq!(events.t.len(), 3);
        assert!(EventCamera::new(1, 1, vec![1e-9], vec![0.2], 0, 1.0).is_err());
        assert!(EventCamera::new(1, 1, vec![0.2], vec![f64::NAN], 0, 1.0).is_err());
        assert!(EventCamera::new(1, 1, vec![0.2], vec![0.2], 0, 0.0).is_err());
    }

    #[test]
    fn dead_time_is_per_channel_and_counts_from_kept_events() {
        let keep = dead_time(&[0, 0, 9, 10, 19, 20], &[0, 1, 0, 0, 0, 0], 2, 10).unwrap();
        assert_eq!(keep, [true, true, false, true, false, true]);
        assert_eq!(dead_time(&[3, 3], &[0, 0], 1, 0).unwrap(), [true, true]);
        assert!(dead_time(&[3, 2], &[0, 0], 1, 0).is_err());
        assert!(dead_time(&[3], &[1], 1, 0).is_err());
        assert!(dead_time(&[3], &[0], 1, -1).is_err());
    }
}
