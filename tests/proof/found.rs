//! What once disproved a claim, made as small as it goes: each is a case with a name.
