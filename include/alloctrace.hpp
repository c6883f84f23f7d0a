/* SPDX-License-Identifier: MIT */
/*
 * alloctrace for C++14 and later: handles that free themselves, ranges for
 * `for`, and exceptions. A thin layer over alloctrace/analysis.h, whose texts
 * say what each function does; here stands what differs.
 *
 *     for (auto change : alloctrace::snapshot::take().compare_to(before))
 *         std::cout << change.str() << '\n';
 *
 * Owner: snapshot, statistics, traceback and builder own their handles; they
 * can be moved, not copied. A trace, statistic, frame or text refers to what it
 * was asked of and must not outlive it; moving that is fine.
 *
 * Errors: whatever fails throws alloctrace::error, but for the functions that
 * are noexcept. Texts are std::string_view, before C++17 std::string.
 *
 * What this header allocates (strings, vectors) is the program's and is traced
 * as such, but for a thread that has a `pause`; what the library allocates is
 * not.
 */
#ifndef ALLOCTRACE_HPP
#define ALLOCTRACE_HPP

#include "alloctrace/analysis.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
#if __cplusplus >= 201703L
#include <string_view>
#endif

namespace alloctrace
{

#if __cplusplus >= 201703L
using text = std::string_view;
#else
using text = std::string;
#endif

/* What is thrown. */
class error : public std::runtime_error
{
  public:
    explicit error(int code, const std::string &message = std::string())
        : std::runtime_error(message.empty() ? alloctrace_strerror(code)
                                             : message),
          code_(code)
    {
    }
    /* One of ALLOCTRACE_E*. */
    int code() const noexcept { return code_; }

  private:
    int code_;
};

/* Throws if `code` is an error. */
inline void check(int code)
{
    if (code < 0)
        throw error(code);
}

namespace detail
{
template <class Handle, void (*Free)(Handle *)> struct deleter {
    void operator()(Handle *handle) const noexcept { Free(handle); }
};

template <class Handle, void (*Free)(Handle *)>
using owner = std::unique_ptr<Handle, deleter<Handle, Free>>;

/* The text that a function of the library writes into a buffer. */
template <class Write> std::string written(Write write)
{
    std::string result(write(nullptr, std::size_t(0)), '\0');

    write(&result[0], result.size() + 1);
    return result;
}

/* Runs through what get(handle, index) gives; ends at `count`. */
template <class Item, class Handle> class iterator
{
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item *;
    using reference = Item;

    iterator(const Handle *handle, std::size_t index) noexcept
        : handle_(handle), index_(index)
    {
    }
    Item operator*() const { return Item(handle_, index_); }
    iterator &operator++() noexcept
    {
        index_++;
        return *this;
    }
    iterator operator++(int) noexcept { return iterator(handle_, index_++); }
    bool operator==(const iterator &other) const noexcept
    {
        return index_ == other.index_;
    }
    bool operator!=(const iterator &other) const noexcept
    {
        return index_ != other.index_;
    }

  private:
    const Handle *handle_;
    std::size_t index_;
};
} /* namespace detail */

/* One level of a call path. Frames are equal if file and line are. */
class frame
{
  public:
    explicit frame(const alloctrace_frame &one) noexcept : frame_(&one) {}
    frame(const alloctrace_traceback *traceback, std::size_t index) noexcept
        : frame_(alloctrace_traceback_frame(traceback,
                                            static_cast<std::ptrdiff_t>(index)))
    {
    }
    text filename() const { return frame_->file; }
    std::uint32_t lineno() const noexcept { return frame_->line; }
    text function() const { return frame_->function; }
    /* Everything that is known of it. */
    const alloctrace_frame &get() const noexcept { return *frame_; }

    std::string str() const
    {
        return detail::written([this](char *buffer, std::size_t size) {
            return alloctrace_frame_format(frame_, buffer, size);
        });
    }
    bool operator==(const frame &other) const noexcept
    {
        return alloctrace_frame_compare(frame_, other.frame_) == 0;
    }
    bool operator!=(const frame &other) const noexcept
    {
        return !(*this == other);
    }
    bool operator<(const frame &other) const noexcept
    {
        return alloctrace_frame_compare(frame_, other.frame_) < 0;
    }

  private:
    const alloctrace_frame *frame_;
};

/* A call path: a range of frames, the oldest first. */
class traceback
{
  public:
    using iterator = detail::iterator<frame, alloctrace_traceback>;

    /* Takes the handle over. */
    explicit traceback(alloctrace_traceback *handle) noexcept : handle_(handle)
    {
    }
    /* Who allocated a live block of this process. */
    static traceback of(const void *block, unsigned domain = 0)
    {
        alloctrace_traceback *handle;

        check(alloctrace_get_object_traceback(domain, block, &handle));
        return traceback(handle);
    }
    std::size_t size() const noexcept
    {
        return alloctrace_traceback_count(get());
    }
    std::uint64_t total_nframe() const noexcept
    {
        return alloctrace_traceback_total_nframe(get());
    }
    /* -1 is the most recent frame. Throws std::out_of_range. */
    frame operator[](std::ptrdiff_t index) const
    {
        const alloctrace_frame *one = alloctrace_traceback_frame(get(), index);

        if (!one)
            throw std::out_of_range("alloctrace::traceback");
        return frame(*one);
    }
    iterator begin() const noexcept { return iterator(get(), 0); }
    iterator end() const noexcept { return iterator(get(), size()); }
    bool contains(const frame &one) const noexcept
    {
        return alloctrace_traceback_contains(get(), &one.get());
    }
    /* Lines of text, each with its newline. */
    std::string format(int limit = ALLOCTRACE_NO_LIMIT,
                       bool most_recent_first = false, unsigned flags = 0) const
    {
        char *bytes;

        check(alloctrace_traceback_format(get(), limit, most_recent_first,
                                          flags, &bytes));
        detail::owner<char, alloctrace_text_free> owned(bytes);
        return std::string(bytes);
    }
    bool operator==(const traceback &other) const noexcept
    {
        return alloctrace_traceback_compare(get(), other.get()) == 0;
    }
    bool operator!=(const traceback &other) const noexcept
    {
        return !(*this == other);
    }
    bool operator<(const traceback &other) const noexcept
    {
        return alloctrace_traceback_compare(get(), other.get()) < 0;
    }
    /* Part of it, as traceback[start:stop] in Python. */
    traceback slice(std::ptrdiff_t start,
                    std::ptrdiff_t stop = PTRDIFF_MAX) const
    {
        alloctrace_traceback *handle;

        check(alloctrace_traceback_slice(get(), start, stop, &handle));
        return traceback(handle);
    }
    const alloctrace_traceback *get() const noexcept { return handle_.get(); }

  private:
    detail::owner<alloctrace_traceback, alloctrace_traceback_free> handle_;
};

/* What one thread allocated from one traceback in one domain. */
class trace
{
  public:
    trace(const alloctrace_snapshot *snapshot, std::size_t index) noexcept
        : snapshot_(snapshot), index_(index)
    {
    }
    /* All figures. */
    const alloctrace_trace &get() const noexcept
    {
        return *alloctrace_snapshot_trace(snapshot_, index_);
    }
    std::uint32_t domain() const noexcept { return get().domain; }
    /* Bytes and blocks that are live. */
    std::int64_t size() const noexcept { return get().live_bytes; }
    std::int64_t count() const noexcept { return get().live_blocks; }
    alloctrace::traceback traceback() const
    {
        alloctrace_traceback *handle;

        check(
            alloctrace_snapshot_traceback(snapshot_, get().traceback, &handle));
        return alloctrace::traceback(handle);
    }
    std::string str(unsigned flags = 0) const
    {
        return detail::written([this, flags](char *buffer, std::size_t size) {
            return alloctrace_trace_format(snapshot_, index_, flags, buffer,
                                           size);
        });
    }

  private:
    const alloctrace_snapshot *snapshot_;
    std::size_t index_;
};

/* One group of traces. */
class statistic
{
  public:
    statistic(const alloctrace_statistics *statistics,
              std::size_t index) noexcept
        : statistics_(statistics), index_(index)
    {
    }
    /* Everything that is known of it. */
    const alloctrace_statistic &get() const noexcept
    {
        return *alloctrace_statistics_get(statistics_, index_);
    }
    text key() const { return get().key; }
    std::uint32_t lineno() const noexcept { return get().line; }
    std::int64_t size() const noexcept { return get().size; }
    std::int64_t count() const noexcept { return get().count; }
    std::int64_t size_diff() const noexcept { return get().size_diff; }
    std::int64_t count_diff() const noexcept { return get().count_diff; }
    alloctrace::traceback traceback() const
    {
        alloctrace_traceback *handle;

        check(alloctrace_statistics_traceback(statistics_, index_, &handle));
        return alloctrace::traceback(handle);
    }
    std::string str(unsigned flags = 0) const
    {
        return detail::written([this, flags](char *buffer, std::size_t size) {
            return alloctrace_statistics_format(statistics_, index_, flags,
                                                buffer, size);
        });
    }

  private:
    const alloctrace_statistics *statistics_;
    std::size_t index_;
};

/* Groups, sorted: a range of statistic. */
class statistics
{
  public:
    using iterator = detail::iterator<statistic, alloctrace_statistics>;

    /* Takes the handle over. */
    explicit statistics(alloctrace_statistics *handle) noexcept
        : handle_(handle)
    {
    }
    std::size_t size() const noexcept
    {
        return alloctrace_statistics_count(get());
    }
    bool empty() const noexcept { return size() == 0; }
    /* Throws std::out_of_range. */
    statistic operator[](std::size_t index) const
    {
        if (index >= size())
            throw std::out_of_range("alloctrace::statistics");
        return statistic(get(), index);
    }
    iterator begin() const noexcept { return iterator(get(), 0); }
    iterator end() const noexcept { return iterator(get(), size()); }
    /* The sum of all groups. */
    const alloctrace_statistic &sum() const noexcept
    {
        return *alloctrace_statistics_sum(get());
    }
    const alloctrace_statistics *get() const noexcept { return handle_.get(); }

  private:
    detail::owner<alloctrace_statistics, alloctrace_statistics_free> handle_;
};

/* How to sum up. */
struct options : alloctrace_statistics_options {
    explicit options(alloctrace_grouping by = ALLOCTRACE_BY_LINENO,
                     alloctrace_metric what = ALLOCTRACE_METRIC_LIVE,
                     bool is_cumulative = false, unsigned set = 0) noexcept
        : alloctrace_statistics_options()
    {
        size = sizeof(alloctrace_statistics_options);
        group_by = by;
        metric = what;
        cumulative = is_cumulative;
        flags = set;
    }
};

/* Filters are those of alloctrace/filter.h; their texts are not copied. */
using filter = alloctrace_filter;

/* A filter that lets through what is of files of a name... */
inline filter include(const char *filename_pattern)
{
    return alloctrace_filter_make(1, filename_pattern);
}

/* ... and one that lets through all else. */
inline filter exclude(const char *filename_pattern)
{
    return alloctrace_filter_make(0, filename_pattern);
}

/* A copy of all traces of a process at one moment: a range of trace. */
class snapshot
{
  public:
    using iterator = detail::iterator<trace, alloctrace_snapshot>;

    /* Takes the handle over. */
    explicit snapshot(alloctrace_snapshot *handle) noexcept : handle_(handle) {}
    /* Of this process. */
    static snapshot take()
    {
        alloctrace_snapshot *handle;

        check(alloctrace_take_snapshot(&handle));
        return snapshot(handle);
    }
    /* Of a file. The exception says what is wrong with it, and where. */
    static snapshot load(const std::string &path)
    {
        alloctrace_snapshot *handle;
        alloctrace_error why;

        if (alloctrace_snapshot_load(path.c_str(), &handle, &why))
            throw error(why.code, path + ": " + why.message);
        return snapshot(handle);
    }
    void dump(const std::string &path) const
    {
        alloctrace_error why;

        if (alloctrace_snapshot_dump(get(), path.c_str(), &why))
            throw error(why.code, path + ": " + why.message);
    }
    snapshot filter_traces(const std::vector<filter> &filters) const
    {
        alloctrace_snapshot *handle;

        check(alloctrace_snapshot_filter_traces(get(), filters.data(),
                                                filters.size(), &handle));
        return snapshot(handle);
    }
    snapshot fold_wrappers() const
    {
        alloctrace_snapshot *handle;

        check(alloctrace_snapshot_fold_wrappers(get(), &handle));
        return snapshot(handle);
    }
    alloctrace::statistics statistics(const options &how = options()) const
    {
        alloctrace_statistics *handle;

        check(alloctrace_snapshot_statistics(get(), &how, &handle));
        return alloctrace::statistics(handle);
    }
    alloctrace::statistics compare_to(const snapshot &old,
                                      const options &how = options()) const
    {
        alloctrace_statistics *handle;

        check(alloctrace_snapshot_compare_to(get(), old.get(), &how, &handle));
        return alloctrace::statistics(handle);
    }
    /* How many traces there are. */
    std::size_t size() const noexcept
    {
        return alloctrace_snapshot_trace_count(get());
    }
    /* Throws std::out_of_range. */
    trace operator[](std::size_t index) const
    {
        if (index >= size())
            throw std::out_of_range("alloctrace::snapshot");
        return trace(get(), index);
    }
    iterator begin() const noexcept { return iterator(get(), 0); }
    iterator end() const noexcept { return iterator(get(), size()); }
    std::uint32_t traceback_limit() const noexcept
    {
        return alloctrace_snapshot_traceback_limit(get());
    }
    const alloctrace_process &process() const noexcept
    {
        return *alloctrace_snapshot_process(get());
    }
    const alloctrace_summary &summary() const noexcept
    {
        return *alloctrace_snapshot_summary(get());
    }
    void set_attribute(const std::string &key, const std::string &value)
    {
        check(alloctrace_snapshot_set_attribute(handle_.get(), key.c_str(),
                                                value.c_str()));
    }
    /* "" if there is none. */
    text attribute(const std::string &key) const
    {
        const char *value =
            alloctrace_snapshot_get_attribute(get(), key.c_str());

        return value ? value : "";
    }
    const alloctrace_snapshot *get() const noexcept { return handle_.get(); }
    alloctrace_snapshot *get() noexcept { return handle_.get(); }

  private:
    detail::owner<alloctrace_snapshot, alloctrace_snapshot_free> handle_;
};

/* A snapshot that is built by hand, or merged of others. */
class builder
{
  public:
    builder()
    {
        alloctrace_builder *handle;

        check(alloctrace_builder_create(&handle));
        handle_.reset(handle);
    }
    /* One live block; frames stand with the most recent one first. */
    builder &add(std::uint32_t domain, std::uint64_t size,
                 const std::vector<alloctrace_frame> &frames,
                 std::uint64_t total_nframe = 0)
    {
        check(alloctrace_builder_add(handle_.get(), domain, size, frames.data(),
                                     frames.size(), total_nframe));
        return *this;
    }
    builder &add(const snapshot &one)
    {
        check(alloctrace_builder_add_snapshot(handle_.get(), one.get()));
        return *this;
    }
    /* Ends the builder: nothing more can be asked of it. */
    snapshot finish()
    {
        alloctrace_snapshot *built;

        check(alloctrace_builder_finish(handle_.release(), &built));
        return snapshot(built);
    }

  private:
    detail::owner<alloctrace_builder, alloctrace_builder_free> handle_;
};

/* ---- This process ---- */

/* What the thread allocates is not traced while this lives. */
class pause
{
public:
    pause() noexcept { alloctrace_pause(); }
    ~pause() { alloctrace_resume(); }
    pause(const pause &) = delete;
    pause &operator=(const pause &) = delete;
};

struct traced_memory {
    std::uint64_t current;
    std::uint64_t peak;
};

inline void start(int n_frames = ALLOCTRACE_ALL_FRAMES)
{
    check(alloctrace_start(n_frames));
}

inline void stop()
{
    check(alloctrace_stop());
}

inline bool is_tracing() noexcept
{
    return alloctrace_is_tracing();
}

inline void clear_traces()
{
    check(alloctrace_clear_traces());
}

inline void reset_peak()
{
    check(alloctrace_reset_peak());
}

inline traced_memory get_traced_memory() noexcept
{
    traced_memory memory = {0, 0};

    alloctrace_get_traced_memory(&memory.current, &memory.peak);
    return memory;
}

} /* namespace alloctrace */

#endif
