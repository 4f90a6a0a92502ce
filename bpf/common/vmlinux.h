// The kernel's types, as few as hearth uses: every field is found by its name in the running kernel's BTF (CO-RE), so
// order and size here mean nothing, and building needs no BTF. A field that some kernels lack is asked for with
// bpf_core_field_exists(). Constants of the BPF system call come from the UAPI header.
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#include "bpf/arch/kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live; // threads not yet past exit
};

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct super_block {
    unsigned int s_dev;
};

struct inode {
    unsigned long i_ino;
    unsigned int i_generation;
    struct super_block *i_sb;
};

struct file {
    struct inode *f_inode;
};

struct rb_node {
    struct rb_node *rb_right;
    struct rb_node *rb_left;
};

struct rb_root {
    struct rb_node *rb_node;
};

struct vm_area_struct {
    unsigned long vm_start;
    unsigned long vm_end;
    unsigned long vm_flags;
    unsigned long vm_pgoff;
    struct file *vm_file;
    struct rb_node vm_rb; // up to 6.0
};

// The maple tree of a process's mappings (6.1 and later; lib/maple_tree.c).
struct maple_tree {
    void *ma_root;
};

struct maple_range_64 {
    unsigned long pivot[15];
    void *slot[16];
};

struct maple_arange_64 {
    unsigned long pivot[9];
    void *slot[10];
};

typedef struct {
    void *vdso;
} mm_context_t;

struct xol_area {
    unsigned long vaddr;
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct uprobe_trampoline { // 6.18 and later
    struct hlist_node node;
    unsigned long vaddr;
};

struct uprobes_state {
    struct xol_area *xol_area;
    struct hlist_head head_tramps; // 6.18 and later
};

typedef struct {
    __s64 counter;
} atomic64_t;

struct rw_semaphore {
    atomic64_t count; // of realtime kernels there is none
};

struct mm_struct {
    struct maple_tree mm_mt;
    struct rw_semaphore mmap_lock;
    struct rb_root mm_rb; // up to 6.0
    unsigned long mmap_base;
    unsigned long exec_vm;
    unsigned long start_stack;
    mm_context_t context;
    struct uprobes_state uprobes_state;
};

struct return_instance {
    unsigned long stack;
    unsigned long orig_ret_vaddr;
    struct return_instance *next;
};

struct uprobe_task {
    struct return_instance *return_instances;
    unsigned long vaddr;
    unsigned long xol_vaddr;
};

struct cgroup_subsys_state {
    struct cgroup_subsys_state *parent;
};

struct kernfs_node {
    __u64 id;
};

struct cgroup_root {
    int hierarchy_id;
};

struct cgroup {
    struct cgroup_subsys_state self;
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

typedef struct {
    unsigned int val;
} kuid_t;

struct cred {
    kuid_t uid;
};

struct sched_info { // where the kernel keeps such (CONFIG_SCHED_INFO)
    unsigned long long last_arrival;
};

struct sched_entity {
    __u64 sum_exec_runtime; // ns on the CPU, up to the last tick or switch
};

struct task_struct {
    struct thread_info thread_info;
    int pid;
    int tgid;
    unsigned int flags;
    unsigned int __state;
    int on_cpu;
    struct sched_entity se;
    struct sched_info sched_info;
    struct thread_struct thread;
    unsigned int in_execve : 1; // by BPF_CORE_READ_BITFIELD_PROBED only
    char comm[16];
    struct css_set *cgroups;
    const struct cred *cred;
    struct mm_struct *mm;
    struct task_struct *group_leader;
    struct task_struct *real_parent;
    struct signal_struct *signal;
    struct uprobe_task *utask;
    __u64 start_time, start_boottime;
    unsigned long nvcsw, nivcsw; // how often it left the CPU
};

// The contexts of iterators; task is NULL at their end.
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

struct bpf_iter__task_vma {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    struct vm_area_struct *vma;
};

#pragma clang attribute pop

#endif
