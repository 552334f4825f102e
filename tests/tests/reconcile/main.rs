//! The auditor of the product finds what is planted, names it, and finds nothing where nothing is wrong.

mod fault;
mod planted;
mod running;
