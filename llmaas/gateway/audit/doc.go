// Package audit keeps what happened: one record a request, in files that only
// grow, each record encrypted and bound to the one before it.
//
//	log, err := audit.Open(audit.Options{Dir: "/var/lib/gateway/audit", Key: key})
//	err = log.Append(audit.Record{Tenant: "acme", KeyID: "k7", Model: "gpt-oss:120b", Status: 200, …})
//	…
//	result, err := audit.Verify(dir, key)
//
// # What is on disk
//
// A folder of segments, audit-00000001.jsonl and so on, named after the number of
// their first record, and a file named head. A line of a segment is
//
//	{"seq":7,"prev":"…","key":"…","data":"…","hash":"…"}
//
// where data is the record, encrypted with AES-256-GCM and bound to seq and prev,
// prev is the hash of the line before, and hash the SHA-256 of this one. The head
// names the last line that was synced, under an HMAC, so that a cut at the end
// is found as well.
//
// # What Verify finds
//
// Any change to a line, any line that is missing, added, moved or taken from
// another log, a missing segment, and an end that was cut off. Whoever holds the
// key can write a new history, and whoever can write the folder can put back an
// old copy of all of it, head included: keep the key elsewhere, and note
// [Result].Last outside now and then if that matters.
//
// # After a crash
//
// [Open] drops a last line that was only half written, and says so in a record.
// What was appended since the last sync may be missing; [Options].SyncEvery says
// how much that can be, and zero means nothing.
//
// # Retention
//
// [Log.Prune] removes segments whose last record is old enough, and appends a
// stub that says which records went: the chain still verifies, and nobody can
// remove a segment in silence.
//
// # What is not covered
//
// The texts of prompts and answers are recorded only if a host puts them in:
// digests are enough to prove what was said to someone who has the text.
package audit
