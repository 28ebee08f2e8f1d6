//! Dates as text, in conditions of the servers.

/// Matches the texts that [`Timestamp::parse`](crate::timestamp::Timestamp::parse) reads, and days that exist only: a cast
/// of any other text could be an error. In the syntax that the regular expressions of all servers share.
pub const TEXT_DATE: &str = "^([0-9]{4}-(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))|((0[469]|11)-(0[1-9]|[12][0-9]|30))|\
     (02-(0[1-9]|1[0-9]|2[0-8])))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)\
     ([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)? *([Zz]|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)? *$";
