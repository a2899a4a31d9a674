//! Papers: what a run came to, where it stands, what it is about; and timings that feed the next plan.

mod chart;
mod eta;
mod gather;
mod load;
mod page;
mod report;
mod retime;
mod sections;
mod short;

pub(crate) use eta::{Args as EtaArgs, run as eta};
pub(crate) use report::{Args as ReportArgs, run as report};
pub(crate) use retime::{Args as RetimeArgs, run as retime};
pub(crate) use short::{
    AnnounceArgs, BriefArgs, ChecklistArgs, HandoverArgs, announce, brief, checklist, handover,
};
