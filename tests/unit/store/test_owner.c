// Whose a process is: the paths that systemd, docker, podman, containerd, the kubelet, nspawn and lxc make.
#include "store/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID   "4f0c11e09a0f4a5c8be1d3a7c5e2f1908d7c6b5a49382716f5e4d3c2b1a0987f"
#define ID12 "4f0c11e09a0f"
#define POD  "0e3a7c11-52fd-4a8e-9a51-1f2d3c4b5a17"
#define POD_ "0e3a7c11_52fd_4a8e_9a51_1f2d3c4b5a17"

static void paths_are_read(void **state)
{
    static const struct {
        const char *path, *unit, *container, *pod;
    } cases[] = {
        {"", "", "", ""},
        {"/", "", "", ""},
        {"/init.scope", "init.scope", "", ""},
        {"/system.slice/nginx.service", "nginx.service", "", ""},
        {"/system.slice/nginx.service/workers", "nginx.service", "", ""},
        {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", ""},
        {"/system.slice/_cpu.service", "cpu.service", "", ""}, // the kernel has files "cpu.*"
        {"/system.slice", "", "", ""},
        {"/background/nginx.service", "", "", ""}, // not made by systemd
        {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", ""},
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome.scope", "user@1000.service", "", ""},
        {"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID12, ""},
        {"/docker/" ID, "", ID12, ""},
        {"/docker/" ID "/system.slice/nginx.service", "", ID12, ""},
        {"/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID12, ""},
        {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", "user@1000.service", ID12, ""},
        {"/machine.slice/machine-web.scope/payload", "machine-web.scope", "web", ""},
        {"/machine.slice/machine-my\\x2dweb.scope", "machine-my\\x2dweb.scope", "my-web", ""},
        {"/lxc.payload.web/system.slice/nginx.service", "", "web", ""},
        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_ ".slice/cri-containerd-" ID ".scope",
         "cri-containerd-" ID ".scope", ID12, POD},
        {"/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID ".scope", "crio-" ID ".scope", ID12, POD},
        {"/kubepods/besteffort/pod" POD "/" ID, "", ID12, POD},
        {"/kubelet.slice/podman.service", "podman.service", "", ""},
        {"/system.slice/podman.service", "podman.service", "", ""},
        {"/system.slice/" ID, "", ID12, ""},
        {"/system.slice/x" ID "f.scope", "x" ID "f.scope", ID12, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct owner owner;
        owner__of(cases[i].path, &owner);
        if (strcmp(owner.unit, cases[i].unit) != 0 || strcmp(owner.container, cases[i].container) != 0 ||
            strcmp(owner.pod, cases[i].pod) != 0)
            fail_msg("%s: unit '%s', container '%s', pod '%s'", cases[i].path, owner.unit, owner.container, owner.pod);
    }
}

// A path may have 504 bytes of anything.
static void names_too_long_are_none(void **state)
{
    struct owner owner;
    char path[504], long_name[400];
    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    snprintf(path, sizeof(path), "/system.slice/%s.service", long_name);
    owner__of(path, &owner);
    assert_string_equal(owner.unit, "");
    snprintf(path, sizeof(path), "/machine.slice/machine-%s.scope", long_name);
    owner__of(path, &owner);
    assert_string_equal(owner.container, "");
    snprintf(path, sizeof(path), "/kubepods/pod%s", long_name);
    owner__of(path, &owner);
    assert_string_equal(owner.pod, "");
}

static void patterns_match(void **state)
{
    struct owner owner, other;
    (void)state;
    owner__of("/system.slice/nginx.service", &owner);
    assert_true(owner__is_unit(&owner, "nginx"));
    assert_true(owner__is_unit(&owner, "nginx.service"));
    assert_true(owner__is_unit(&owner, "ng*"));
    assert_false(owner__is_unit(&owner, "ngin"));
    assert_false(owner__is_unit(&owner, "nginx.scope"));
    assert_false(owner__is_container(&owner, "*"));
    assert_false(owner__is_pod(&owner, "*"));
    owner__of("/kubepods/pod" POD "/" ID, &owner);
    assert_true(owner__is_container(&owner, ID));
    assert_true(owner__is_container(&owner, ID12));
    assert_true(owner__is_container(&owner, "4f0c"));
    assert_false(owner__is_container(&owner, "4f0d"));
    assert_false(owner__is_container(&owner, ""));
    assert_true(owner__is_container(&owner, "*"));
    assert_true(owner__is_pod(&owner, POD));
    assert_true(owner__is_pod(&owner, "0e3a*"));
    assert_false(owner__is_pod(&owner, "0e3a"));
    owner__of("/lxc.payload.face", &other); // a name that reads like an id
    assert_true(owner__is_container(&other, "face"));
    assert_false(owner__is_container(&other, "fac"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(names_too_long_are_none),
        cmocka_unit_test(patterns_match),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
