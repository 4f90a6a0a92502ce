// A chain of inlined functions in nested modules, with a generic one and a closure.
static mut SINK: u32 = 0;

mod outermost {
    pub mod inner {
        #[inline(always)]
        pub fn leaf<T: Copy + Into<u64>>(value: T) -> u64 {
            unsafe { std::ptr::write_volatile(std::ptr::addr_of_mut!(crate::SINK), 0x1234567) }; // line 8
            value.into() * 3
        }

        pub struct Server {
            pub count: u64,
        }

        impl Server {
            #[inline(never)]
            pub fn outer(&mut self, value: u32) -> u64 {
                let work = |given: u32| leaf(given + 1); // line 19
                self.count += work(value); // line 20
                self.count
            }
        }
    }
}

fn main() {
    let mut server = outermost::inner::Server { count: 1 };
    let arguments = std::env::args().count() as u32;
    println!("{}", server.outer(arguments));
}
