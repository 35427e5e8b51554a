//! Samples of a call: arrays in, what the engine takes out.

use hrsnn_core::drive::Drive as Of;
use hrsnn_core::sample::Input;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::description::copied;
use crate::drive::Drive;

/// Times, channels and duration of a sample.
pub(crate) type SampleArrays<'py> = (PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, u32>, i64);

/// A copy of one.
pub(crate) type Sample = (Vec<i64>, Vec<u32>, i64);

/// Copies that outlive the interpreter's lock.
pub(crate) fn copies(samples: &[SampleArrays<'_>]) -> PyResult<Vec<Sample>> {
    let copy = |(t, channel, duration): &SampleArrays<'_>| {
        Ok((copied("t", t)?, copied("channel", channel)?, *duration))
    };
    samples.iter().map(copy).collect()
}

/// Drives of samples, the first of which is number `first` of all that `drive` has.
pub(crate) fn drives(drive: Option<&Drive>, first: u64, n_samples: usize) -> Option<Vec<Of>> {
    drive.map(|drive| (first..).take(n_samples).map(|number| drive.0.of(number)).collect())
}

/// What the engine takes.
pub(crate) fn inputs<'a>(copies: &'a [Sample], drives: Option<&'a [Of]>) -> Vec<Input<'a>> {
    let input = |(k, (t, channel, duration)): (usize, &'a Sample)| Input {
        t,
        channel,
        duration: *duration,
        drive: drives.map(|drives| &drives[k]),
        injection: None,
    };
    copies.iter().enumerate().map(input).collect()
}
