//! What was made of label sets is kept with them: the blocks of a query ask the same of them again and again.

use std::sync::{Mutex, PoisonError};

/// Answers by their questions, of which there are few.
#[derive(Debug)]
pub struct Remembered<Q, A>(Mutex<Vec<(Q, A)>>);

impl<Q, A> Default for Remembered<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: PartialEq, A: Clone> Remembered<Q, A> {
    /// The answer that is known, or the one that is made now. What fails is not kept.
    pub fn get_or_try<E>(&self, question: Q, make: impl FnOnce(&Q) -> Result<A, E>) -> Result<A, E> {
        if let Some(answer) = self.known(&question) {
            return Ok(answer);
        }
        let answer = make(&question)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((question, answer.clone()));
        Ok(answer)
    }

    /// Likewise of what cannot fail.
    pub fn get_or(&self, question: Q, make: impl FnOnce(&Q) -> A) -> A {
        let made: Result<A, std::convert::Infallible> = self.get_or_try(question, |question| Ok(make(question)));
        match made {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    fn known(&self, question: &Q) -> Option<A> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .find(|(of, _)| of == question)
            .map(|(_, answer)| answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_an_answer_once_unless_it_fails() {
        let answers = Remembered::default();
        assert_eq!(answers.get_or_try(1, |_| Err("no")), Err("no"));
        assert_eq!(answers.get_or(1, |question| question + 1), 2);
        assert_eq!(answers.get_or(1, |_| 9), 2);
        assert_eq!(answers.get_or(2, |_| 9), 9);
    }
}
