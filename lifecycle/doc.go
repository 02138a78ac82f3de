// Package lifecycle is the catalogue that knows which model will be gone, and when.
//
//	s, err := lifecycle.Default().StatusAt("cogito:32b", time.Now())
//	if err == nil && s.Phase >= lifecycle.Notice {
//		slog.Warn("model ends", "model", s.Model, "on", s.End(), "days", s.DaysLeft)
//	}
//
// # Tables
//
// The provider prints tables: models in production with the day of launch (DMP)
// and the foreseeable end of support (DSP), and deprecated models with the day
// on which they left the public platform. Two are embedded, those of 2025-11-22
// and 2026-05-17, each with its source, one model a line, as printed, faults
// included. [Default] reads them once. A [Catalogue] never changes and any number
// of goroutines may use it.
//
// A later table corrects an earlier one: what it prints counts, what it leaves
// out stays. Corrections stand in the data with a note (gpt-oss was credited to
// the Qwen Team at first) and in [Lint]. Three rules decide where tables
// contradict themselves or one another:
//
//   - In one table, the deprecation that has happened wins over the end that was
//     planned: gemma3:12b stands in both lists of 2025-11-22.
//   - A model that was launched by the day of an earlier table was in production,
//     whatever launch a later one prints: the earliest launch counts, and [Diff]
//     reports the later one as relaunched.
//   - A model that a later complete table no longer lists is gone from the day of
//     that table on.
//
// # Phases
//
// Dates are days, a [Date] has neither time nor zone. A phase runs from its first
// day, included, to the first day of the next. DSP is the day from which a model is
// no longer maintained, so it is the first day of the end of support. The provider
// promises three months' notice before it removes a model, and most models were
// removed on their DSP, so the notice runs before it; the provider also promises
// three months between DSP and final removal, so a model is presumed gone after
// them only.
//
//	phase           first day
//	evaluation      any day before the next phase
//	deployment      as printed, if it is
//	production      launch (DMP)
//	notice          three months before the end of support or the deprecation, whichever is first
//	end of support  DSP
//	deprecated      day of the deprecation, as printed
//	removed         day of the complete table that lists it no more, else three months after DSP
//
// Three months before the 31st of May is the last day of February. A model with
// less than three months from launch to end is in notice from its launch on. A
// deprecated model of which no table prints a launch counts as in production
// before. [Status.Presumed] marks what no table records: such a model should not
// be refused for it, because a review may have extended it since the last table;
// [Status.AsOf] says how old the knowledge is.
//
// [Catalogue.StatusAt] takes the calendar day of its time in the time's own
// location. It uses all tables: about a past day it knows what came later. What
// the day itself could know is asked with
//
//	known := lifecycle.Default().AsKnown(day)
//
// # Newer tables
//
// A table is a JSON file, one model a line, sorted by id, decimals in strings:
//
//	{"as_of": "2026-06-01", "source": "our lab", "complete": false, "models": [
//	{"id": "acme:7b", "launched": "2026-06-01", "end_of_support": "2027-05-31", "kwh_per_mtoken": "0.85"}
//	], "retired": [
//	{"id": "acme:3b", "retired": "2026-05-31", "successor": "acme:7b"}
//	]}
//
// The further keys are those of the embedded ones in data/. [Load] and [LoadFS]
// read such files, and [Catalogue.Merge] adds them to others. Reading is strict: unknown keys, bad
// dates, an end before the launch and the like give a [FileError] with file, line
// and path, and no catalogue. [Live] holds the one in force for programs that
// reload while they run, and keeps it when a new one is bad.
//
// # What to do about it
//
//   - [Catalogue.Advise] tells a client or gateway to allow, warn, rewrite or refuse,
//     and [Status.SetHeader] sets Sunset (RFC 8594) and Deprecation (RFC 9745).
//   - [Catalogue.Successor] finds a living replacement, [Catalogue.Select] the
//     smallest or least thirsty model that does a task.
//   - [LintSource] finds the models of a source tree that are on their way out.
//   - [Catalogue.Calendar] and [WriteICS] put the days into a team's calendar, and
//     [Catalogue.WriteTimeline] draws them.
//   - [Catalogue.Overlay] holds what the provider granted one tenant: extended
//     support, or a deprecated model reactivated.
//   - [Lint] and [Diff] review the provider: promises that a table breaks, and what
//     changed between two. [Policy] is the promise, as data.
//   - [Catalogue.Reconcile] compares the catalogue with a reply of GET /models.
//
// # Not covered
//
// Prices (package cost) and token counts (package tokens) are not here; a model
// only names its tokenizer family. The package fetches nothing: the tables are as
// young as [Catalogue.AsOf], and the provider calls its dates indicative. Figures
// such as speed and energy are the provider's of the latest table that prints
// them, and differ between tables. Experimental models stand in a table only if
// the operator writes them there, with evaluation and deployment dates.
package lifecycle
