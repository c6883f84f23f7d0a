/* SPDX-License-Identifier: MIT */
/*
 * The dump file. The seam between runtime (writer) and analysis (reader);
 * included by runtime/dump.c, analysis/load.c and tool/cmd_dump.c only.
 *
 * Grammar. All numbers are little-endian, whatever wrote them.
 *
 *     file    := magic version:u32 flags:u32 record* trailer
 *     magic   := 8 bytes ALLOCTRACE_MAGIC
 *     record  := tag:u32 count:u32 length:u64 payload padding
 *     payload := length bytes
 *     padding := zero bytes up to the next multiple of 8
 *     trailer := the record ALLOCTRACE_TAG_TRAILER, and then nothing
 *
 * `flags` is 0. `count` is the number of entries in the payload. For every
 * tag but STRINGS all entries of a record have the same size, length / count:
 * at least the size that the field list below gives for it. A newer writer
 * may append fields to an entry or use new tags; a reader ignores both.
 *
 *     STRINGS := ( size:u32 bytes[size] )[count]    no NUL, no padding between
 *
 * Ids. Strings, modules, frames, tracebacks and threads are numbered from 1
 * in the order in which they stand in the file, counted over all records of
 * their tag; 0 is "none". A record may refer only to what stands before it
 * (so a traceback's parent has a smaller id than the traceback: there are no
 * cycles). Exactly one PROCESS and one SUMMARY record of one entry each.
 *
 * What is small in a file and stands for much is bounded, so that a file of n
 * bytes is read and looked at in time and memory in proportion to n. A frame is
 * inlined 65535 deep at most. The frames that the sites of all tracebacks have,
 * inlined ones included and each counted for each traceback, are at most 2^20
 * and 256 for each traceback; the bytes of the strings that entries other than
 * frames and the process refer to, each counted for each entry, at most 2^20
 * and 16 for each byte of the file. So a writer may share strings of 32 bytes,
 * and has to repeat much longer ones that very many entries have.
 *
 * The trailer's checksum covers every byte before the trailer record, read as
 * 64-bit little-endian words w (everything is padded to 8 bytes):
 *
 *     h := ALLOCTRACE_CHECKSUM_SEED
 *     for each w:  h := rotate_left(h xor w, 29) * ALLOCTRACE_CHECKSUM_PRIME
 *
 * It finds damage, not forgery. A file without a valid trailer is incomplete.
 *
 * Order of a traceback's frames: each traceback is its innermost frame and
 * the traceback of its caller (`parent`), so reading from an id outwards
 * gives most recent frame first. A frame whose code was inlined is followed
 * by its `caller`, that one's `caller` and so on, and only then by the frame
 * of the parent. All of them count against the traceback limit. A writer that
 * keeps to it still writes a place whole where the limit lies within what was
 * inlined; and a file may hold longer paths. So the reader applies the limit.
 */
#ifndef ALLOCTRACE_FORMAT_H
#define ALLOCTRACE_FORMAT_H

#include <stdint.h>

/* As in PNG: not text, damaged by text-mode transfers in a way that shows. */
#define ALLOCTRACE_MAGIC "\x89" "ATR\r\n\x1a\n"
#define ALLOCTRACE_MAGIC_SIZE 8
#define ALLOCTRACE_FORMAT_VERSION 1
#define ALLOCTRACE_HEADER_SIZE 16
#define ALLOCTRACE_RECORD_HEADER_SIZE 16

#define ALLOCTRACE_CHECKSUM_SEED UINT64_C(0x616c6c6f63747263)
#define ALLOCTRACE_CHECKSUM_PRIME UINT64_C(0x9e3779b97f4a7c15)

/* Tags: TAG(NAME, number, name). Numbers never change. */
#define ALLOCTRACE_TAGS(TAG)                                                  \
    TAG(PROCESS, 1, process)                                                  \
    TAG(STRINGS, 2, strings)                                                  \
    TAG(MODULES, 3, module)                                                   \
    TAG(FRAMES, 4, frame)                                                     \
    TAG(TRACEBACKS, 5, traceback)                                             \
    TAG(THREADS, 6, thread)                                                   \
    TAG(TRACES, 7, trace)                                                     \
    TAG(SUMMARY, 8, summary)                                                  \
    TAG(ARGUMENTS, 9, argument)                                               \
    TAG(DOMAINS, 10, domain)                                                  \
    TAG(BLOCKS, 11, block)                                                    \
    TAG(DETAILS, 12, detail)                                                  \
    TAG(SIZES, 13, size_class)                                                \
    TAG(ATTRIBUTES, 14, attribute)                                            \
    TAG(TRAILER, 0xffffffff, trailer)

enum alloctrace_tag {
#define ALLOCTRACE_TAG_ENUM(NAME, number, name) ALLOCTRACE_TAG_##NAME = number,
    ALLOCTRACE_TAGS(ALLOCTRACE_TAG_ENUM)
#undef ALLOCTRACE_TAG_ENUM
};

/*
 * Entries: lists of FIELD(bits, name), packed in this order without gaps.
 * Each list makes the struct, the writer, the reader and the raw printer.
 * "string" means the id of a string. Sizes are requested bytes.
 */

/* What was traced. Times are nanoseconds since 1970 (UTC). */
#define ALLOCTRACE_PROCESS_FIELDS(FIELD)                                      \
    FIELD(32, pid)                                                            \
    FIELD(32, word_bits)       /* 32 or 64: of the traced program */          \
    FIELD(32, traceback_limit) /* frames kept; 0 = every frame */             \
    FIELD(32, sequence)        /* number of this dump in its process; 0 = none */ \
    FIELD(64, start_ns)        /* when tracing started */                     \
    FIELD(64, dump_ns)         /* when this dump was taken */                 \
    FIELD(32, program)         /* string: path of the executable */           \
    FIELD(32, host)            /* string: host name */                        \
    FIELD(32, writer)          /* string: version of the runtime */           \
    FIELD(32, reason)          /* string: "exit", "request", "snapshot", ... */ \
    FIELD(64, sample_bytes)    /* see below; absent from older files: 0 */    \
    FIELD(32, n_processes)     /* merged into this file; absent or 0: 1 */    \
    FIELD(32, reserved)

/*
 * `sample_bytes`: 0 = every block was traced, and all figures are exact. Else
 * a block of size s was traced with probability 1 - exp(-(s + 1) /
 * sample_bytes), and all figures of blocks and bytes are unbiased estimates:
 * the standard error of an estimate of B bytes is at most
 * sqrt(sample_bytes * B). A peak is that of the estimates.
 */
#define ALLOCTRACE_OLD_PROCESS_SIZE 48

/* What a user said of the snapshot; each key once. */
#define ALLOCTRACE_ATTRIBUTE_FIELDS(FIELD)                                    \
    FIELD(32, key)   /* string: not empty */                                  \
    FIELD(32, value) /* string */

/* The program's arguments in order, the program's name first. */
#define ALLOCTRACE_ARGUMENT_FIELDS(FIELD)                                     \
    FIELD(32, text) /* string */

/* The name of a domain: of the program's own allocators, "operator new". Its
 * id is at least ALLOCTRACE_NAMED_DOMAINS, but differs from run to run. */
#define ALLOCTRACE_DOMAIN_FIELDS(FIELD)                                       \
    FIELD(32, id)   /* the number that traces give */                         \
    FIELD(32, name) /* string */

/* Below: 0 = the C library's heap, others are the program's own choice
 * (alloctrace_track) and have no names. */
#define ALLOCTRACE_NAMED_DOMAINS 0x80000000u

/* A loaded file, to name addresses of code that was not instrumented. */
#define ALLOCTRACE_MODULE_FIELDS(FIELD)                                       \
    FIELD(64, begin)    /* first address it is mapped at */                   \
    FIELD(64, end)      /* one past the last */                               \
    FIELD(64, bias)     /* address in memory minus address in the file */     \
    FIELD(32, path)     /* string */                                          \
    FIELD(32, build_id) /* string: hexadecimal digits; 0 = it has none */

/* One level of a call path: a site, or an address that has no site. */
#define ALLOCTRACE_FRAME_FIELDS(FIELD)                                        \
    FIELD(64, address)  /* of code that was not instrumented; else 0 */       \
    FIELD(32, module)   /* of the address or site; 0 = none, or unloaded */    \
    FIELD(32, file)     /* string; 0 for an address */                        \
    FIELD(32, function) /* string */                                          \
    FIELD(32, line)     /* 0 = unknown */                                     \
    FIELD(32, column)   /* 0 = unknown */                                     \
    FIELD(32, ordinal)  /* number of the site in its function; 0 = none */    \
    FIELD(32, caller)   /* frame that this one was inlined into; 0 = none */  \
    FIELD(32, callee)   /* string: what is called, if known */                \
    FIELD(32, type)     /* string: type of the allocated object, if known */  \
    FIELD(32, target)   /* string: what the result is stored in, if known */  \
    FIELD(32, kind)     /* enum alloctrace_site_kind of abi.h; 0 = address */ \
    FIELD(32, flags)    /* ALLOCTRACE_SITE_* of abi.h */                      \
    FIELD(32, type_size) /* bytes of one object of `type`; 0 = unknown */

/* One call path. */
#define ALLOCTRACE_TRACEBACK_FIELDS(FIELD)                                    \
    FIELD(32, parent) /* traceback of the caller; 0 = outermost */            \
    FIELD(32, frame)  /* innermost frame */                                   \
    FIELD(32, left_out) /* see below; absent from older files: 0 */

/*
 * `left_out`: with a limit of frames, how many more were outside the outermost
 * one, at most 65535, when the path was met for the first time. Without, how
 * many frames of recursion were left out before this one, in the longest path
 * that goes through it.
 */
#define ALLOCTRACE_OLD_TRACEBACK_SIZE 8

/* A thread, or several one after another that were given the same number. */
#define ALLOCTRACE_THREAD_FIELDS(FIELD)                                       \
    FIELD(32, tid)  /* as the system numbers it; 0 = several */               \
    FIELD(32, name) /* string; 0 = unknown */

/*
 * What one thread allocated from one traceback in one domain, exactly. Live
 * figures of a single entry may be negative (two's complement): blocks that
 * one thread allocated and another freed are subtracted in the second's
 * entry. Summed over the entries of a traceback and domain none is.
 */
#define ALLOCTRACE_TRACE_FIELDS(FIELD)                                        \
    FIELD(32, traceback)                                                      \
    FIELD(32, thread)                                                         \
    FIELD(32, domain)                                                         \
    FIELD(32, reserved)                                                       \
    FIELD(64, live_blocks)                                                    \
    FIELD(64, live_bytes)                                                     \
    FIELD(64, total_blocks)                                                   \
    FIELD(64, total_bytes)                                                    \
    FIELD(64, peak_blocks) /* live when the whole program's bytes peaked */   \
    FIELD(64, peak_bytes)

/*
 * More about a trace, which is named by its traceback, thread and domain, as no
 * two traces have all three the same. There is a record of this tag, if only
 * an empty one, when ALLOCTRACE_DETAIL=1 asked for it; a trace without an entry
 * has zeros. Temporary blocks are a part of the total ones, and reallocs are
 * counted where the old block came from, by the thread that made them.
 */
#define ALLOCTRACE_DETAIL_FIELDS(FIELD)                                       \
    FIELD(32, traceback)                                                      \
    FIELD(32, thread)                                                         \
    FIELD(32, domain)                                                         \
    FIELD(32, reserved)                                                       \
    FIELD(64, temporary_blocks) /* freed before the thread allocated again */ \
    FIELD(64, temporary_bytes)                                                \
    FIELD(64, resized_blocks)   /* reallocs of this trace's blocks */         \
    FIELD(64, resized_in_place) /* that left the block where it was */        \
    FIELD(64, moved_bytes)      /* that the others copied */                  \
    FIELD(64, grown_bytes)      /* new sizes less old ones, where larger */   \
    FIELD(64, shrunk_bytes)     /* old sizes less new ones, where smaller */  \
    FIELD(64, smallest)         /* size; 0 if the trace has no total blocks */ \
    FIELD(64, largest)

/*
 * Blocks of a trace by requested size: each one that was ever allocated is in
 * one class. Class 0 is size 0, class 1 is size 1, class n from there on goes
 * from 2^(n-2) + 1 through 2^(n-1) bytes: 2, 3 to 4, 5 to 8, ... up to class
 * 65. There is no entry for a class without blocks. A trace has fewer blocks in
 * its classes than in total if some could not be sorted in.
 */
#define ALLOCTRACE_SIZE_CLASSES 66
#define ALLOCTRACE_SIZE_CLASS_FIELDS(FIELD)                                   \
    FIELD(32, traceback)                                                      \
    FIELD(32, thread)                                                         \
    FIELD(32, domain)                                                         \
    FIELD(32, size_class)                                                     \
    FIELD(64, blocks)                                                         \
    FIELD(64, bytes)

/*
 * One live block, if the list was asked for. Blocks that came or went while
 * the dump was written may be in the list or not; otherwise there are as many
 * of each traceback and domain as its traces' live blocks. Those of the domain
 * "mmap" are not listed.
 */
#define ALLOCTRACE_BLOCK_FIELDS(FIELD)                                        \
    FIELD(64, address)                                                        \
    FIELD(64, size)                                                           \
    FIELD(32, traceback)                                                      \
    FIELD(32, domain)

/* The whole program. What was dropped is in no trace. */
#define ALLOCTRACE_SUMMARY_FIELDS(FIELD)                                      \
    FIELD(64, live_blocks)                                                    \
    FIELD(64, live_bytes)                                                     \
    FIELD(64, total_blocks)                                                   \
    FIELD(64, total_bytes)                                                    \
    FIELD(64, peak_bytes)                                                     \
    FIELD(64, peak_slack)     /* the true peak is at most this far away */     \
    FIELD(64, dropped_blocks) /* allocations that could not be recorded */    \
    FIELD(64, dropped_bytes)                                                  \
    FIELD(64, unknown_frees)  /* frees of blocks that were not recorded */    \
    FIELD(64, overhead_bytes) /* the tracer's own memory */                   \
    FIELD(64, bad_frames)     /* frames that could not be taken apart */      \
    FIELD(64, collisions)     /* found by verifying; see ALLOCTRACE_VERIFY */ \
    FIELD(64, cut_blocks)     /* counted under a prefix of their path; this */ \
    FIELD(64, cut_bytes)      /* and what follows is absent from older files */
#define ALLOCTRACE_OLD_SUMMARY_SIZE 96

#define ALLOCTRACE_TRAILER_FIELDS(FIELD)                                      \
    FIELD(64, record_count) /* records before the trailer */                  \
    FIELD(64, file_size)    /* of the whole file, trailer included */         \
    FIELD(64, checksum)

#define ALLOCTRACE_FORMAT_MEMBER(bits, name) uint##bits##_t name;
#define ALLOCTRACE_FORMAT_ADD_SIZE(bits, name) +bits / 8

struct alloctrace_process_entry {
    ALLOCTRACE_PROCESS_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_argument_entry {
    ALLOCTRACE_ARGUMENT_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_domain_entry {
    ALLOCTRACE_DOMAIN_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_module_entry {
    ALLOCTRACE_MODULE_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_frame_entry {
    ALLOCTRACE_FRAME_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_traceback_entry {
    ALLOCTRACE_TRACEBACK_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_thread_entry {
    ALLOCTRACE_THREAD_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_trace_entry {
    ALLOCTRACE_TRACE_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_detail_entry {
    ALLOCTRACE_DETAIL_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_size_class_entry {
    ALLOCTRACE_SIZE_CLASS_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_block_entry {
    ALLOCTRACE_BLOCK_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_attribute_entry {
    ALLOCTRACE_ATTRIBUTE_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_summary_entry {
    ALLOCTRACE_SUMMARY_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};
struct alloctrace_trailer_entry {
    ALLOCTRACE_TRAILER_FIELDS(ALLOCTRACE_FORMAT_MEMBER)
};

/* Sizes of entries in the file. */
enum {
    ALLOCTRACE_PROCESS_SIZE =
        0 ALLOCTRACE_PROCESS_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_ARGUMENT_SIZE =
        0 ALLOCTRACE_ARGUMENT_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_DOMAIN_SIZE =
        0 ALLOCTRACE_DOMAIN_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_MODULE_SIZE =
        0 ALLOCTRACE_MODULE_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_FRAME_SIZE =
        0 ALLOCTRACE_FRAME_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_TRACEBACK_SIZE =
        0 ALLOCTRACE_TRACEBACK_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_THREAD_SIZE =
        0 ALLOCTRACE_THREAD_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_TRACE_SIZE =
        0 ALLOCTRACE_TRACE_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_DETAIL_SIZE =
        0 ALLOCTRACE_DETAIL_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_SIZE_CLASS_SIZE =
        0 ALLOCTRACE_SIZE_CLASS_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_BLOCK_SIZE =
        0 ALLOCTRACE_BLOCK_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_ATTRIBUTE_SIZE =
        0 ALLOCTRACE_ATTRIBUTE_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_SUMMARY_SIZE =
        0 ALLOCTRACE_SUMMARY_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE),
    ALLOCTRACE_TRAILER_SIZE =
        0 ALLOCTRACE_TRAILER_FIELDS(ALLOCTRACE_FORMAT_ADD_SIZE)
};

#endif
