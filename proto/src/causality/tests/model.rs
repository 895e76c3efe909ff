//! Random sequences against a model that keeps everything in maps.

use std::collections::BTreeMap;

use super::*;

/// A transfer as the model sees it.
struct Transfer {
    progress: Progress,
    guards: Vec<TokenGuard>,
    /// What it was told, or had to be.
    expected: Option<Resolution>,
    kinds: Vec<(usize, DependencyKind)>,
    readiness: Readiness<Told>,
    log: Told,
}

#[derive(Default)]
struct Model {
    transfers: Vec<Transfer>,
    tokens: BTreeMap<u64, usize>,
}

impl Model {
    fn resolve(&self, kinds: &[(usize, DependencyKind)]) -> Option<Resolution> {
        let mut open = false;
        for (index, kind) in kinds {
            let sent_is_enough = kind.wait == WaitPoint::RequestSent;
            let ignored = kind.failure == Failure::Ignore;
            match self.transfers[*index].progress {
                Progress::Completed => {}
                Progress::Sent | Progress::Failed { sent: true } if sent_is_enough => {}
                Progress::Failed { .. } if ignored => {}
                Progress::Failed { .. } => {
                    let cause = self.token(*index);
                    return Some(Resolution::Failed { cause });
                }
                Progress::Pending | Progress::Sent => open = true,
            }
        }
        if open { None } else { Some(Resolution::Ready) }
    }

    fn token(&self, index: usize) -> Token {
        let (wire, _) = self.tokens.iter().find(|(_, at)| **at == index).unwrap();
        Token::from_wire(MapId(1), *wire)
    }

    /// Looks at all transfers until nothing follows any more: slow and plain.
    fn settle(&mut self) {
        loop {
            let mut changed = false;
            for index in 0..self.transfers.len() {
                if self.transfers[index].expected.is_some() {
                    continue;
                }
                let resolution = self.resolve(&self.transfers[index].kinds);
                let transfer = &mut self.transfers[index];
                transfer.expected = resolution;
                changed |= resolution.is_some();
                let ended =
                    matches!(transfer.progress, Progress::Completed | Progress::Failed { .. });
                if matches!(resolution, Some(Resolution::Failed { .. })) && !ended {
                    let sent = transfer.progress == Progress::Sent;
                    transfer.progress = Progress::Failed { sent };
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Slots that the map may not have given back.
    fn live(&self) -> usize {
        let live = |transfer: &&Transfer| match transfer.progress {
            Progress::Pending | Progress::Sent => true,
            Progress::Completed => false,
            Progress::Failed { .. } => !transfer.guards.is_empty(),
        };
        self.transfers.iter().filter(live).count()
    }

    fn check(&self, map: &CausalityMap) {
        for (index, transfer) in self.transfers.iter().enumerate() {
            for guard in &transfer.guards {
                assert_eq!(guard.progress(), transfer.progress, "transfer {index}");
            }
            let told = told(&transfer.readiness, &transfer.log);
            match (told, transfer.expected) {
                // which of several failures comes first is the map's to say
                (Some(Resolution::Failed { cause }), Some(Resolution::Failed { .. })) => {
                    let index = self.tokens[&cause.to_wire()];
                    assert!(matches!(self.transfers[index].progress, Progress::Failed { .. }));
                    assert!(transfer.kinds.iter().any(|(on, _)| *on == index));
                }
                _ => assert_eq!(told, transfer.expected, "transfer {index}"),
            }
        }
        assert_eq!(map.live(), self.live());
    }

    fn allocate(&mut self, map: &CausalityMap, max: usize, choices: [u8; 3]) {
        let mut kinds = Vec::new();
        let mut dependencies = Vec::new();
        for choice in choices {
            let (wait, failure) = KINDS[usize::from(choice % 4)];
            let kind = DependencyKind { wait, failure };
            let back = usize::from(choice / 4) + 1;
            let Some(index) = self.transfers.len().checked_sub(back) else { continue };
            // only what is held can be depended on
            if let Some(guard) = self.transfers[index].guards.first() {
                kinds.push((index, kind));
                dependencies.push(on(guard, kind));
            }
        }
        let transfer = match map.allocate(dependencies) {
            Ok(transfer) => transfer,
            Err(error) => {
                assert_eq!(error, AllocateError::Full { max: max as u32 });
                assert_eq!(self.live(), max);
                return;
            }
        };
        let guard = transfer.guard().clone();
        let wire = guard.token().to_wire();
        assert_eq!(self.tokens.insert(wire, self.transfers.len()), None, "a token twice");
        let log = Told::default();
        self.transfers.push(Transfer {
            progress: Progress::Pending,
            guards: vec![guard],
            expected: None,
            kinds,
            readiness: transfer.wait(log.clone()),
            log,
        });
    }

    fn report(&mut self, map: &CausalityMap, index: usize, end: Progress) {
        let token = self.token(index);
        let before = self.transfers[index].progress;
        let open = matches!(before, Progress::Pending | Progress::Sent);
        let (news, after, reported) = match end {
            Progress::Sent => (before == Progress::Pending, Progress::Sent, map.sent(token)),
            Progress::Completed => (open, Progress::Completed, map.complete(token)),
            _ => {
                let sent = before == Progress::Sent;
                (open, Progress::Failed { sent }, map.fail(token))
            }
        };
        assert_eq!(reported, Ok(news));
        if news {
            self.transfers[index].progress = after;
        }
    }

    fn hold(&mut self, map: &CausalityMap, index: usize) {
        let token = self.token(index);
        let transfer = &mut self.transfers[index];
        let forgotten = match transfer.progress {
            Progress::Pending | Progress::Sent => false,
            Progress::Completed => true,
            Progress::Failed { .. } => transfer.guards.is_empty(),
        };
        match map.hold(token) {
            Ok(guard) => {
                assert!(!forgotten);
                transfer.guards.push(guard);
            }
            Err(error) => {
                assert!(forgotten);
                assert_eq!(error, TokenError::Ended { token });
            }
        }
    }
}

/// [CAUS-1, CAUS-3, CAUS-4, CAUS-5, CAUS-6, CAUS-7]
#[test]
fn agrees_with_the_reference_model() {
    type Step = (u8, u8, [u8; 3]);
    bolero::check!().with_type::<(u8, Vec<Step>)>().for_each(|(max, steps)| {
        let max = usize::from(max % 12) + 1;
        let map = map(1, max as u32);
        let mut model = Model::default();
        for (what, which, choices) in steps.iter().take(200) {
            let back = usize::from(which % 16) + 1;
            let index = model.transfers.len().checked_sub(back);
            match (what % 10, index) {
                (4, Some(index)) => model.report(&map, index, Progress::Sent),
                (5, Some(index)) => model.report(&map, index, Progress::Completed),
                (6, Some(index)) => model.report(&map, index, Progress::Failed { sent: false }),
                (7, Some(index)) => model.hold(&map, index),
                (8 | 9, Some(index)) => drop(model.transfers[index].guards.pop()),
                _ => model.allocate(&map, max, *choices),
            }
            model.settle();
            model.check(&map);
        }
    });
}
