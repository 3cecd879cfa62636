//! The goals of the cases.

use super::Case;

/// The goal of a case: a minimum performance of rulebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The number of requests per second must be at least this multiple of the other server's number.
    RatioToOtherServer(f64),
    /// The number of requests per second must be at least this multiple of rulebook's number in another case.
    RatioToCase(Case, f64),
}

impl Case {
    /// Returns the goal of the case.
    pub fn goal(self) -> Goal {
        match self {
            Self::Ping | Self::Openapi | Self::OneKey => Goal::RatioToOtherServer(0.88),
            Self::Options | Self::NotModified => Goal::RatioToCase(Self::Ping, 0.9),
            Self::Get | Self::Query | Self::Article | Self::LastOf10 => Goal::RatioToOtherServer(1.0),
            Self::Json => Goal::RatioToOtherServer(0.92),
            // The outputs are converted to JSON values once more.
            Self::GetVerified => Goal::RatioToCase(Self::Get, 0.8),
            Self::Rules | Self::Service => Goal::RatioToCase(Self::Query, 0.95),
            Self::Form | Self::SqlSqlite | Self::SqlPostgres | Self::Php => Goal::RatioToOtherServer(0.9),
            Self::SqlFastapi => Goal::RatioToOtherServer(5.0),
            Self::HttpNginx => Goal::RatioToOtherServer(0.7),
            Self::Process => Goal::RatioToOtherServer(3.0),
            Self::ThousandKeys => Goal::RatioToCase(Self::OneKey, 0.97),
            Self::Down1K | Self::Down1KNodelay | Self::Down1M | Self::Down1MNodelay | Self::Down256M => {
                Goal::RatioToOtherServer(1.0)
            }
            Self::Schemas | Self::Down1KNginx | Self::Http => Goal::RatioToOtherServer(0.8),
            Self::Up1M | Self::Up256M => Goal::RatioToOtherServer(0.95),
            Self::Jsonp => Goal::RatioToCase(Self::Get, 0.95),
            Self::LastOf1000 => Goal::RatioToOtherServer(20.0),
            // The number of services should have no effect. The goal is below 1, because measurements vary.
            Self::LastOf10000 => Goal::RatioToCase(Self::LastOf10, 0.97),
        }
    }

    /// Returns the maximum ratio of the user time that rulebook spends on a request to that of the hand-written server;
    /// `None` if the case has no such goal.
    pub fn user_time_goal(self) -> Option<f64> {
        match self {
            Self::Ping => Some(1.0),
            Self::Get | Self::Json | Self::Form => Some(0.9),
            _ => None,
        }
    }

    /// Returns `true` if the processor time of both servers can be compared. The processes that handle the calls of
    /// `process` are not part of it.
    pub fn has_processor_time(self) -> bool {
        self != Self::Process
    }
}
